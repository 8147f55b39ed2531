"""Codecs, statistics and concealment (spec 6)."""
import base64
import functools
import hashlib
import json
import math
import re
import struct

from deviations import Field, Table, spatial_taps
from interleaving import dealt_elements, parse_interleaving, read_interleaving
from wire import slice_range
from wire_error import WireError

FORMATS = {"float32": "f", "float16": "e", "uint8": "B", "int8": "b", "int32": "i"}
RANGES = {"uint8": (0, 255), "int8": (-128, 127), "int32": (-(2**31), 2**31 - 1)}
LARGEST = 1.5e38
MAX_CODEC_TEXT = 256
DEFAULTS = {"levels": "32", "clip": "6", "per": "tensor"}


def size_of(dtype):
    return struct.calcsize(FORMATS[dtype])


def read(dtype, data):
    return [value for (value,) in struct.iter_unpack("<" + FORMATS[dtype], data)]


def float32(value):
    """Rounds a float64; Python's own conversion refuses what becomes infinite."""
    try:
        return struct.unpack("<f", struct.pack("<f", value))[0]
    except OverflowError:
        return math.copysign(math.inf, value)


def write(dtype, value):
    """The bytes of an element (6.2): float32 first, then rounded and clamped to what the dtype holds."""
    value = float32(value)
    if dtype == "float16":
        value = max(-65504.0, min(65504.0, value))
    elif dtype in RANGES:
        low, high = RANGES[dtype]
        value = max(low, min(high, math.floor(value + 0.5)))
    return struct.pack("<" + FORMATS[dtype], value)


def parse_codec(text):
    """Stage and parameters; WireError unknownCodec where there are none (6, 6.3)."""
    if len(text) > MAX_CODEC_TEXT or "|" in text:
        raise WireError("unknownCodec")
    stage, colon, rest = text.partition(":")
    stage = stage.strip()
    if stage not in ("raw", "quantize"):
        raise WireError("unknownCodec")
    given = {}
    for pair in rest.split(",") if colon else []:
        name, equals, value = (part.strip() for part in pair.partition("="))
        if not equals or stage == "raw" or name not in DEFAULTS or name in given:
            raise WireError("unknownCodec")
        given[name] = value
    if stage == "raw":
        return {"stage": "raw"}
    values = {**DEFAULTS, **given}
    if not re.fullmatch(r"\d{1,9}", values["levels"]) or not 2 <= int(values["levels"]) <= 65536:
        raise WireError("unknownCodec")
    if not re.fullmatch(r"\d{1,9}(\.\d{1,9})?", values["clip"]) or not 0.5 <= float(values["clip"]) <= 100:
        raise WireError("unknownCodec")
    if values["per"] not in ("tensor", "channel"):
        raise WireError("unknownCodec")
    return {"stage": stage, "levels": int(values["levels"]), "clip": float(values["clip"]), "per": values["per"]}


def canonical(codec):
    if codec["stage"] == "raw":
        return "raw"
    clip = f"{codec['clip']:.9f}".rstrip("0").rstrip(".")
    return f"quantize:levels={codec['levels']},clip={clip},per={codec['per']}"


@functools.lru_cache(maxsize=None)
def bits(levels, symbols):
    return (levels**symbols - 1).bit_length()


@functools.lru_cache(maxsize=None)
def group_size(levels):
    sizes = range(1, 51)
    return min((g for g in sizes if levels**g <= 2**50), key=lambda g: (bits(levels, g) / g, g))


def groups(levels, symbols):
    g = group_size(levels)
    return [g] * (symbols // g) + ([symbols % g] if symbols % g else [])


def packed_bytes(levels, symbols):
    return (sum(bits(levels, k) for k in groups(levels, symbols)) + 7) // 8


def pack(levels, symbols):
    stream = at = taken = 0
    for k in groups(levels, len(symbols)):
        group = sum(symbol * levels**i for i, symbol in enumerate(symbols[taken : taken + k]))
        stream |= group << at
        at += bits(levels, k)
        taken += k
    return stream.to_bytes(packed_bytes(levels, len(symbols)), "little")


def unpack(levels, data, count):
    stream = int.from_bytes(data, "little")
    symbols = []
    for k in groups(levels, count):
        group = stream & ((1 << bits(levels, k)) - 1)
        stream >>= bits(levels, k)
        for _ in range(k - 1):
            group, symbol = divmod(group, levels)
            symbols.append(symbol)
        symbols.append(min(levels - 1, group))
    return symbols


def bounded(value):
    return max(-LARGEST, min(LARGEST, value))


def low_and_step(mean, deviation, minimum, maximum, codec):
    low = float32(bounded(max(mean - codec["clip"] * deviation, minimum)))
    high = bounded(min(mean + codec["clip"] * deviation, maximum))
    return low, float32(max(0.0, high - low) / (codec["levels"] - 1))


def floats(text):
    return read("float32", base64.b64decode(text))


class Stream:
    """What a tensor stream's spec, codec and statistics decide."""

    def __init__(self, value):
        self.dtype, self.shape = value["spec"]["dtype"], value["spec"]["shape"]
        self.layout = value["spec"]["layout"]
        self.units = math.prod(self.shape)
        self.codec = parse_codec(value["codec"])
        self.dealt = dealt_elements(self.shape, self.layout, read_interleaving(value.get("interleave", "")))
        self.statistics = value.get("statistics")
        self.channel_ranges = None
        if self.codec.get("per") == "channel":
            if self.statistics is None:
                raise WireError("unknownCodec")
            self.channel_ranges = self.read_channel_ranges()

    def channel(self, element):
        if self.layout == "chw":
            return element // (self.shape[1] * self.shape[2]) % self.shape[0]
        return element % self.shape[2] if self.layout == "hwc" else 0

    def read_channel_ranges(self):
        means = floats(self.statistics["channelMean"])
        deviations = floats(self.statistics["channelDeviation"])
        has_range = "channelMinimum" in self.statistics
        minima = floats(self.statistics["channelMinimum"]) if has_range else [-LARGEST] * len(means)
        maxima = floats(self.statistics["channelMaximum"]) if has_range else [LARGEST] * len(means)
        return [
            (mean, *low_and_step(mean, deviation, min(mean, minimum), max(mean, maximum), self.codec))
            for mean, deviation, minimum, maximum in zip(means, deviations, minima, maxima)
        ]

    def tensor_range(self, values):
        finite = [value for value in values if math.isfinite(value)]
        if not finite:
            return 0.0, 0.0, 0.0
        mean = sum(finite) / len(finite)
        deviation = math.sqrt(sum((value - mean) ** 2 for value in finite) / len(finite))
        return mean, *low_and_step(mean, deviation, min(finite), max(finite), self.codec)

    def symbol(self, value, mean, low, step):
        if step == 0:
            return 0
        if math.isnan(value):
            value = mean
        level = (value - low) * (1 / step) + 0.5
        return int(max(0, min(self.codec["levels"] - 1, level)))

    def encode(self, data, first, end):
        held = self.dealt[first:end]
        if self.codec["stage"] == "raw":
            size = size_of(self.dtype)
            return b"".join(data[i * size : (i + 1) * size] for i in held)
        values = [float32(value) for value in read(self.dtype, data)]
        whole = None if self.channel_ranges else self.tensor_range(values)
        symbols = [self.symbol(values[i], *(whole or self.channel_ranges[self.channel(i)])) for i in held]
        head = struct.pack("<ff", *whole[1:]) if whole else b""
        return head + pack(self.codec["levels"], symbols)

    def decode(self, first, end, payload):
        """The bytes of each element, or None where the slice is refused (6.1, 6.2)."""
        size = size_of(self.dtype)
        if self.codec["stage"] == "raw":
            if len(payload) != (end - first) * size:
                return None
            return [payload[at : at + size] for at in range(0, len(payload), size)]
        levels = self.codec["levels"]
        head = 0 if self.channel_ranges else 8
        if len(payload) != head + packed_bytes(levels, end - first):
            return None
        low = step = 0.0
        if head:
            low, step = struct.unpack("<ff", payload[:8])
            if not (math.isfinite(low) and step >= 0 and math.isfinite(float32(low + (levels - 1) * step))):
                return None
        cells = []
        for i, symbol in enumerate(unpack(levels, payload[head:], end - first)):
            if not head:
                _, low, step = self.channel_ranges[self.channel(self.dealt[first + i])]
            cells.append(write(self.dtype, low + symbol * step))
        return cells


def mean_of(values):
    return sum(values) / len(values) if values else None


METHODS = ["zero", "channel-mean", "data-set-mean", "hybrid", "spatial", "inter-channel", "temporal", "auto"]


class Gap:
    """A tensor of which some cells are None, and what may fill them (6.5)."""

    def __init__(self, stream, cells):
        self.stream = stream
        self.values = [None if cell is None else float32(read(stream.dtype, cell)[0]) for cell in cells]
        self.channels = [stream.channel(i) for i in range(stream.units)]
        self.channel_count = max(self.channels) + 1
        self.finite = [(i, v) for i, v in enumerate(self.values) if v is not None and math.isfinite(v)]

    def of_channel(self, channel):
        return [value for i, value in self.finite if self.channels[i] == channel]

    def mean_elements(self):
        stored = self.stream.statistics
        return read(stored["meanElementDtype"], base64.b64decode(stored["meanElement"]))

    def channel_means(self):
        known = floats(self.stream.statistics["channelMean"]) if self.stream.statistics else None

        def mean(channel):
            came = self.of_channel(channel)
            if came:
                return mean_of(came)
            return known[channel] if known else mean_of([value for _, value in self.finite]) or 0.0

        return [float32(mean(channel)) for channel in range(self.channel_count)]

    def by_channel(self):
        means = self.channel_means()
        return [means[channel] for channel in self.channels]

    def hybrid(self):
        elements = self.mean_elements()
        shifts = []
        for channel, mean in enumerate(self.channel_means()):
            own = [value for i, value in enumerate(elements) if self.channels[i] == channel]
            shifts.append(float32(mean - mean_of(own)))
        return [value + shifts[channel] for value, channel in zip(elements, self.channels)]

    def ranges(self):
        stored = self.stream.statistics
        if stored and "channelMinimum" in stored and "channelMaximum" in stored:
            return list(zip(floats(stored["channelMinimum"]), floats(stored["channelMaximum"])))
        came = [self.of_channel(channel) for channel in range(self.channel_count)]
        return [(min(values), max(values)) if values else (-math.inf, math.inf) for values in came]

    def deviate(self, expected, *tables):
        if self.stream.layout == "any":
            return expected
        field = Field(self.stream.shape, self.stream.layout, self.values, expected)
        return field.fill(tables, self.ranges())

    def table(self, name):
        stored = self.stream.statistics["neighbours"][name]
        taps = {
            "taps": stored["taps"],
            "sources": [word for (word,) in struct.iter_unpack("<H", base64.b64decode(stored["sources"]))],
            "weights": read("float16", base64.b64decode(stored["weights"])),
        }
        return Table(taps, floats(self.stream.statistics["channelDeviation"]))

    def spatial(self):
        return Table(spatial_taps(self.channel_count), [1.0] * self.channel_count)

    def fill(self, method):
        stored = self.stream.statistics
        if method == "zero":
            return [0.0] * self.stream.units
        if method == "channel-mean":
            return self.by_channel()
        if method == "data-set-mean":
            return self.mean_elements()
        if method == "hybrid":
            return self.hybrid()
        if method == "spatial":
            return self.deviate(self.by_channel(), self.spatial())
        if method == "inter-channel":
            return self.deviate(self.mean_elements(), self.table("others"))
        expected = self.mean_elements() if stored else self.by_channel()
        if method == "temporal":
            return expected
        if stored and "neighbours" in stored:
            return self.deviate(expected, *(self.table(name) for name in ("near", "own", "others")))
        return self.deviate(expected, self.spatial())


def conceal(stream, method, cells):
    """Fills the elements that are None (6.5)."""
    filled = Gap(stream, cells).fill(method)
    return [write(stream.dtype, filled[i]) if cell is None else cell for i, cell in enumerate(cells)]


class Bundle:
    """The tensors of a frame, each as a stream of its own (6.14); one alone is a bundle of one."""

    def __init__(self, value):
        self.size = size_of(value["spec"]["dtype"])
        parts = value["spec"].get("parts")
        self.streams = [Stream(self.own(value, part)) for part in parts] if parts else [Stream(value)]
        self.units = sum(stream.units for stream in self.streams)

    @staticmethod
    def own(value, part):
        """Floats by the stream's codec, others as they are; statistics are of one tensor."""
        if part["dtype"] not in ("float32", "float16"):
            return {"spec": part, "codec": "raw"}
        return {"spec": part, "codec": value["codec"], "interleave": value.get("interleave", "")}

    def ranges(self, index, count):
        """Which units of which tensors a slice covers."""
        first, end = slice_range(index, count, self.units)
        found, start = [], 0
        for place, stream in enumerate(self.streams):
            own = max(0, first - start), min(stream.units, end - start)
            if own[0] < own[1]:
                found.append((place, *own))
            start += stream.units
        return found

    def encode(self, data, index, count):
        starts = [0]
        for stream in self.streams:
            starts.append(starts[-1] + stream.units * size_of(stream.dtype))
        pieces = []
        for place, first, end in self.ranges(index, count):
            pieces.append(self.streams[place].encode(data[starts[place] : starts[place + 1]], first, end))
        return b"".join(struct.pack("<I", len(piece)) + piece for piece in pieces[:-1]) + pieces[-1]

    def decode(self, part, cells):
        """Puts a slice's elements into their cells; False where any of it is refused."""
        ranges = self.ranges(part["index"], part["count"])
        rest, pieces = bytes.fromhex(part["payload"]), []
        for _ in ranges[:-1]:
            if len(rest) < 4 or len(rest) - 4 < (length := struct.unpack("<I", rest[:4])[0]):
                return False
            pieces.append(rest[4 : 4 + length])
            rest = rest[4 + length :]
        is_whole = True
        for (place, first, end), piece in zip(ranges, [*pieces, rest]):
            stream = self.streams[place]
            decoded = stream.decode(first, end, piece)
            if decoded is None:
                is_whole = False
                continue
            for element, cell in zip(stream.dealt[first:end], decoded):
                cells[place][element] = cell
        return is_whole

    def flags(self, cells):
        """Of each element of the bundle, whether it is missing."""
        found = []
        for stream, own in zip(self.streams, cells):
            width = size_of(stream.dtype) // self.size
            found += [cell is None for cell in own for _ in range(width)]
        return found

    def conceal(self, method, cells):
        if len(self.streams) == 1:
            return [conceal(self.streams[0], method, cells[0])]
        return [
            conceal(stream, method if stream.dtype in ("float32", "float16") else "zero", own)
            for stream, own in zip(self.streams, cells)
        ]


def receive(value):
    method = value["concealment"]
    if method not in METHODS:
        raise WireError("specMismatch")
    if method in ("data-set-mean", "hybrid", "inter-channel") and "statistics" not in value:
        raise WireError("statisticsMismatch")
    bundle = Bundle(value)
    if method == "inter-channel" and ("neighbours" not in value["statistics"] or value["spec"]["layout"] == "any"):
        raise WireError("statisticsMismatch")
    cells = [[None] * stream.units for stream in bundle.streams]
    refused = []
    for place, part in enumerate(value["slices"]):
        if not bundle.decode(part, cells):
            refused.append(place)
    flags = bundle.flags(cells)
    if all(flags):
        raise WireError("nothingDecodable")
    missing = []
    for i, is_missing in enumerate(flags):
        if is_missing and missing and missing[-1][1] == i:
            missing[-1][1] += 1
        elif is_missing:
            missing.append([i, i + 1])
    whole = b"".join(b"".join(part) for part in bundle.conceal(method, cells))
    return {"refused": refused, "missing": missing, "data": whole.hex()}


def encode(value):
    bundle = Bundle(value)
    payload = bundle.encode(bytes.fromhex(value["data"]), value["index"], value["count"])
    return {"payload": payload.hex()}


MEMBERS = ["version", "cut", "shape", "samples", "channelMean", "channelDeviation", "channelMinimum"]
MEMBERS += ["channelMaximum", "meanElementDtype", "meanElement", "block", "matrixOfBand", "matrices", "gains", "scales"]
MEMBERS += ["coarseScales", "neighbours"]


def hash_statistics(value):
    stored = dict(value["statistics"])
    elements = read(stored["meanElementDtype"], base64.b64decode(stored["meanElement"]))
    stored["meanElement"] = base64.b64encode(struct.pack(f"<{len(elements)}f", *elements)).decode()
    stored["meanElementDtype"] = "float32"
    ordered = {name: stored[name] for name in MEMBERS if name in stored}
    text = json.dumps(ordered, separators=(",", ":"), ensure_ascii=False)
    return {"hash": hashlib.sha256(text.encode("utf-8")).hexdigest()}


OPERATIONS = {
    "codec.parse": lambda value: {"codec": canonical(parse_codec(value["codec"]))},
    "codec.encode": encode,
    "interleave.parse": parse_interleaving,
    "tensor.receive": receive,
    "statistics.hash": hash_statistics,
}
