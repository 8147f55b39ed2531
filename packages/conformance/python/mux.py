"""Frames of sessions over a WebSocket (spec 2.6)."""
import struct

from wire_error import WireError

NUMBERS = {
    1: ("open", ["stream"]),
    3: ("fin", ["stream"]),
    4: ("reset", ["stream", "code"]),
    5: ("stop", ["stream", "code"]),
    6: ("stream-credit", ["stream", "bytes"]),
    7: ("session-credit", ["bytes"]),
}
TYPES = {name: (number, fields) for number, (name, fields) in NUMBERS.items()}
MAX_DATA_BYTES = 16_384
MAX_REASON_BYTES = 1_024


def require(condition):
    if not condition:
        raise WireError("violation")


def decode(data):
    require(len(data) > 0)
    kind, rest = data[0], data[1:]
    if kind in NUMBERS:
        name, fields = NUMBERS[kind]
        require(len(rest) == 4 * len(fields))
        frame = dict(zip(fields, struct.unpack(f">{len(fields)}I", rest)))
        require(not name.endswith("credit") or frame["bytes"] > 0)
        return {"type": name, **frame}
    if kind == 2:
        require(5 <= len(rest) <= 4 + MAX_DATA_BYTES)
        return {"type": "data", "stream": int.from_bytes(rest[:4], "big"), "bytes": rest[4:].hex()}
    if kind == 8:
        require(len(rest) == 5 and rest[0] <= 1)
        count = int.from_bytes(rest[1:], "big")
        require(count > 0)
        return {"type": "open-credit", "kind": rest[0], "count": count}
    require(kind == 9 and 4 <= len(rest) <= 4 + MAX_REASON_BYTES)
    try:
        reason = rest[4:].decode("utf-8")
    except UnicodeDecodeError:
        raise WireError("violation") from None
    return {"type": "close", "code": int.from_bytes(rest[:4], "big"), "reason": reason}


def encode(frame):
    kind = frame["type"]
    if kind in TYPES:
        number, fields = TYPES[kind]
        return bytes([number]) + struct.pack(f">{len(fields)}I", *(frame[field] for field in fields))
    if kind == "data":
        return b"\x02" + struct.pack(">I", frame["stream"]) + bytes.fromhex(frame["bytes"])
    if kind == "open-credit":
        return b"\x08" + struct.pack(">BI", frame["kind"], frame["count"])
    return b"\x09" + struct.pack(">I", frame["code"]) + frame["reason"].encode("utf-8")


OPERATIONS = {
    "mux.decode": lambda value: decode(bytes.fromhex(value["hex"])),
    "mux.encode": lambda value: {"hex": encode(value["frame"]).hex()},
}
