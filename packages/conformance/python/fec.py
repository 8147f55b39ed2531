"""Forward error correction over datagrams (spec 5.8)."""
import re

from wire import decode_datagram
from wire_error import WireError

MAX_SOURCES = 128
MAX_MAP_BYTES = 32
MAX_DISTANCE = 2_048
RANGES = {"max": (1, 100), "span": (1, 8)}

EXP, LOG = [0] * 510, [0] * 256
_value = 1
for _i in range(255):
    EXP[_i] = EXP[_i + 255] = _value
    LOG[_value] = _i
    _value = _value << 1 ^ (0x11D if _value & 0x80 else 0)


def multiply(a, b):
    return EXP[LOG[a] + LOG[b]] if a and b else 0


def divide(a, b):
    return EXP[LOG[a] + 255 - LOG[b]] if a else 0


def coefficient(row, source):
    return divide(128 ^ source, (128 + row) ^ source)


def parse(value):
    text = value["fec"]
    code, colon, rest = text.partition(":")
    code = code.strip()
    if len(text) > 64 or code not in ("rs", "xor"):
        raise WireError("unknownFec")
    given = {}
    for pair in rest.split(",") if colon else []:
        name, _, number = (part.strip() for part in pair.partition("="))
        if name not in RANGES or name in given or not re.fullmatch("[0-9]{1,9}", number):
            raise WireError("unknownFec")
        low, high = RANGES[name]
        if not low <= int(number) <= high:
            raise WireError("unknownFec")
        given[name] = int(number)
    return {"fec": f"{code}:max={given.get('max', 15)},span={given.get('span', 1)}"}


def source_symbol(data, size):
    return (len(data).to_bytes(2, "little") + data).ljust(size, b"\0")


def symbols(value):
    datagrams = [(each["sequence"], bytes.fromhex(each["hex"])) for each in value["datagrams"]]
    lowest = datagrams[0][0]
    size = 2 + max(len(data) for _, data in datagrams)
    bits = sum(1 << (sequence - lowest) for sequence, _ in datagrams)
    head = bits.to_bytes((bits.bit_length() + 7) // 8, "little")
    payloads = []
    for row in value["rows"]:
        parity = bytearray(size)
        for j, (_, data) in enumerate(datagrams):
            add(parity, coefficient(row, j), source_symbol(data, size))
        payloads.append((bytes([len(head)]) + head + parity).hex())
    return {"payloads": payloads}


def add(target, factor, source):
    for i, byte in enumerate(source):
        target[i] ^= multiply(factor, byte)


def read_payload(payload):
    """Offsets of the group's sequences to the lowest, and the symbol."""
    size = payload[0] if payload else 0
    if not 1 <= size <= MAX_MAP_BYTES or len(payload) < 1 + size + 3:
        raise WireError("malformedDatagram")
    bits = int.from_bytes(payload[1 : 1 + size], "little")
    offsets = [i for i in range(8 * size) if bits >> i & 1]
    if not bits & 1 or payload[size] == 0 or len(offsets) > MAX_SOURCES:
        raise WireError("malformedDatagram")
    return offsets, payload[1 + size :]


class Receiver:
    def __init__(self, code, held):
        self.code = code
        self.held = dict(held)
        self.groups = {}

    def repair(self, symbol):
        offsets, parity = read_payload(bytes.fromhex(symbol["payload"]))
        lowest = symbol["sequence"] - symbol["repair"]
        if symbol["repair"] > MAX_DISTANCE or lowest < 0 or lowest + offsets[-1] >= symbol["sequence"]:
            raise WireError("malformedDatagram")
        numbers = tuple(lowest + offset for offset in offsets)
        alike = (symbol["stream"], symbol["frame"], len(parity))
        first, rows = self.groups.setdefault(numbers, (alike, {}))
        if first != alike:
            return {}
        rows.setdefault(0 if self.code == "xor" else symbol["index"] % 128, parity)
        missing = [number for number in numbers if number not in self.held]
        if not missing or len(rows) < len(missing):
            return {}
        del self.groups[numbers]
        found = self.solve(numbers, missing, rows, len(parity))
        if any(self.broken(number, found[number], symbol["stream"]) for number in missing):
            return {}
        brought = {number: data[2 : 2 + int.from_bytes(data[:2], "little")] for number, data in found.items()}
        self.held.update(brought)
        return brought

    def solve(self, numbers, missing, rows, size):
        """Sources by Gaussian elimination: one equation for each symbol that is needed."""
        equations = []
        for row, parity in list(rows.items())[: len(missing)]:
            rest = bytearray(parity)
            for j, number in enumerate(numbers):
                if number in self.held:
                    add(rest, coefficient(row, j), source_symbol(self.held[number], size)[:size])
            equations.append(([coefficient(row, numbers.index(number)) for number in missing], rest))
        for i in range(len(missing)):
            pivot = next(k for k in range(i, len(missing)) if equations[k][0][i])
            equations[i], equations[pivot] = equations[pivot], equations[i]
            factors, rest = equations[i]
            scale = divide(1, factors[i])
            equations[i] = ([multiply(scale, f) for f in factors], bytearray(multiply(scale, b) for b in rest))
            for k in range(len(missing)):
                factor = equations[k][0][i]
                if k != i and factor:
                    add(equations[k][0], factor, equations[i][0])
                    add(equations[k][1], factor, equations[i][1])
        return {number: bytes(rest) for number, (_, rest) in zip(missing, equations)}

    @staticmethod
    def broken(number, symbol, stream):
        length = int.from_bytes(symbol[:2], "little")
        if not 0 < length <= len(symbol) - 2 or any(symbol[2 + length :]):
            return True
        try:
            slices = decode_datagram(symbol[2 : 2 + length])["slices"]
        except WireError:
            return True
        headers = [each["header"] for each in slices]
        own = [h for h in headers if h["stream"] == stream and "repair" not in h]
        return not headers or headers[0].get("sequence") != number or not own


def recover(value):
    receiver = Receiver(value["code"], [(each["sequence"], bytes.fromhex(each["hex"])) for each in value["held"]])
    found = {}
    for symbol in value["repairs"]:
        found.update(receiver.repair(symbol))
    return {"recovered": [{"sequence": number, "hex": found[number].hex()} for number in sorted(found)]}


OPERATIONS = {"fec.parse": parse, "fec.symbols": symbols, "fec.recover": recover}
