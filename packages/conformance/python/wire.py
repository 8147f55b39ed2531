"""Framing: varints, slice headers, datagrams, streams of tensors, the control stream (spec 4.1, 5.1 to 5.4)."""
from messages import ControlMessage, DecodeError, Result, SliceHeader, control_of, fill, plain, plain_control
from wire_error import WireError

MAX_CONTROL_MESSAGE_BYTES = 65_536
MAX_SLICE_HEADER_BYTES = 64
MAX_RESULT_HEADER_BYTES = 256
MAX_STREAM_ALIAS = 16_383
MAX_UNITS = 16_777_216
LOSSY = {"feedback", "result", "resultAck", "ping", "pong"}


class CutOff(Exception):
    """A varint whose end has not come."""


class Cursor:
    def __init__(self, data):
        self.data = data
        self.at = 0

    def varint(self):
        """An unsigned varint of at most 32 bits (1.1). Raises CutOff, or ValueError where it is too long or large."""
        value = 0
        for i in range(5):
            if self.at >= len(self.data):
                raise CutOff
            byte = self.data[self.at]
            self.at += 1
            value |= (byte & 127) << (7 * i)
            if byte < 128:
                if value >= 2**32:
                    raise ValueError("over 32 bits")
                return value
        raise ValueError("over five bytes")

    def take(self, length):
        if self.at + length > len(self.data):
            raise CutOff
        self.at += length
        return self.data[self.at - length : self.at]

    @property
    def done(self):
        return self.at == len(self.data)


def varint(value):
    out = bytearray()
    while value >= 128:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


def read_header(data):
    try:
        header = SliceHeader.FromString(data)
    except DecodeError:
        raise WireError("malformedDatagram") from None
    if not 1 <= header.stream <= MAX_STREAM_ALIAS:
        raise WireError("malformedDatagram")
    if not (1 <= header.count <= MAX_UNITS and header.index < header.count):
        raise WireError("sliceOutOfRange")
    return header


def write_header(fields):
    # Protocol Buffers' own encoder writes fields in order and in their shortest form, and leaves out what is 0.
    return fill(SliceHeader(), fields).SerializeToString()


def read_control(data):
    try:
        return plain_control(ControlMessage.FromString(data))
    except DecodeError:
        raise WireError("protocolViolation") from None


def write_control(message):
    return control_of(message).SerializeToString()


def decode_datagram(data):
    cursor = Cursor(data)
    controls, slices = [], []
    try:
        while not cursor.done:
            length = cursor.varint()
            if length == 0:
                message = read_control(cursor.take(cursor.varint()))
                if message is None:
                    continue
                if message["kind"] not in LOSSY:
                    raise WireError("protocolViolation")
                controls.append(message)
                continue
            if length > MAX_SLICE_HEADER_BYTES:
                raise WireError("malformedDatagram")
            header = read_header(cursor.take(length))
            rest = len(cursor.data) - cursor.at
            payload = cursor.take(header.payload_bytes if header.HasField("payload_bytes") else rest)
            slices.append({"header": plain(header), "payload": payload.hex()})
    except (CutOff, ValueError):
        raise WireError("malformedDatagram") from None
    return {"controls": controls, "slices": slices}


def encode_datagram(items):
    out = b""
    for item in items:
        if "control" in item:
            message = write_control(item["control"])
            out += b"\0" + varint(len(message)) + message
        else:
            header = write_header(item["slice"]["header"])
            out += varint(len(header)) + header + bytes.fromhex(item["slice"]["payload"])
    return out


def decode_tensor_stream(chunks, max_tensor_bytes):
    data = b""
    slices = []
    for chunk in chunks:
        data += bytes.fromhex(chunk)
        while data:
            cursor = Cursor(data)
            try:
                length = cursor.varint()
                if not 1 <= length <= MAX_SLICE_HEADER_BYTES:
                    raise WireError("protocolViolation")
                header = read_header(cursor.take(length))
                if not header.HasField("payload_bytes") or header.payload_bytes > max_tensor_bytes:
                    raise WireError("limitExceeded")
                payload = cursor.take(header.payload_bytes)
            except CutOff:
                break
            except ValueError:
                raise WireError("protocolViolation") from None
            slices.append({"header": plain(header), "payload": payload.hex()})
            data = data[cursor.at :]
    return {"slices": slices}


def decode_result_stream(chunks, max_result_bytes):
    """The stream of a large result (7.4); it ends behind the last chunk."""
    cursor = Cursor(b"".join(bytes.fromhex(chunk) for chunk in chunks))
    try:
        length = cursor.varint()
        if not 1 <= length <= MAX_RESULT_HEADER_BYTES:
            raise WireError("protocolViolation")
        result = Result.FromString(cursor.take(length))
    except (CutOff, ValueError, DecodeError):
        raise WireError("protocolViolation") from None
    if result.payload or not result.HasField("payload_bytes"):
        raise WireError("protocolViolation")
    if result.payload_bytes > max_result_bytes:
        raise WireError("limitExceeded")
    payload = cursor.data[cursor.at :]
    if len(payload) != result.payload_bytes:
        raise WireError("protocolViolation")
    return {"result": plain(result), "payload": payload.hex()}


def encode_result_stream(result, payload):
    header = fill(Result(), {**result, "payloadBytes": len(payload)}).SerializeToString()
    return varint(len(header)) + header + payload


def decode_control_stream(chunks):
    data = b""
    messages = []
    for chunk in chunks:
        data += bytes.fromhex(chunk)
        while data:
            cursor = Cursor(data)
            try:
                length = cursor.varint()
                if length > MAX_CONTROL_MESSAGE_BYTES:
                    raise WireError("protocolViolation")
                message = read_control(cursor.take(length))
            except CutOff:
                break
            except ValueError:
                raise WireError("protocolViolation") from None
            data = data[cursor.at :]
            if message is not None:
                messages.append(message)
    return {"messages": messages}


def encode_control_stream(messages):
    bodies = [write_control(message) for message in messages]
    return b"".join(varint(len(body)) + body for body in bodies)


def slice_range(index, count, units):
    if not 0 <= index < count <= units:
        raise WireError("sliceOutOfRange")
    return index * units // count, (index + 1) * units // count


def slice_range_operation(value):
    first, end = slice_range(value["index"], value["count"], value["units"])
    return {"first": first, "end": end}


def slice_split(value):
    index, count, parts = value["index"], value["count"], value["parts"]
    return {"slices": [{"index": index * parts + j, "count": count * parts} for j in range(parts)]}


OPERATIONS = {
    "slice-header.decode": lambda value: plain(read_header(bytes.fromhex(value["hex"]))),
    "slice-header.encode": lambda value: {"hex": write_header(value["header"]).hex()},
    "datagram.decode": lambda value: decode_datagram(bytes.fromhex(value["hex"])),
    "datagram.encode": lambda value: {"hex": encode_datagram(value["items"]).hex()},
    "tensor-stream.decode": lambda value: decode_tensor_stream(value["chunks"], value["maxTensorBytes"]),
    "result-stream.decode": lambda value: decode_result_stream(value["chunks"], value["maxResultBytes"]),
    "result-stream.encode": lambda value: {
        "hex": encode_result_stream(value["result"], bytes.fromhex(value["payload"])).hex()
    },
    "control-stream.decode": lambda value: decode_control_stream(value["chunks"]),
    "control-stream.encode": lambda value: {"hex": encode_control_stream(value["messages"]).hex()},
    "slice-range": slice_range_operation,
    "slice-split": slice_split,
}
