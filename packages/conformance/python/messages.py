"""The messages of proto/sluice/v1, compiled at the start, and their plain form (spec/vectors/README.md)."""
import atexit
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

try:
    from google.protobuf.message import DecodeError
except ModuleNotFoundError:
    sys.exit("python: no module google.protobuf; install Debian's python3-protobuf")

PROTO = Path(__file__).resolve().parents[3] / "proto"
FILES = ["sluice/v1/tensor.proto", "sluice/v1/control.proto"]


def compile_messages():
    folder = tempfile.mkdtemp(prefix="sluice-proto-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    try:
        subprocess.run(["protoc", f"-I{PROTO}", f"--python_out={folder}", *FILES], check=True)
    except FileNotFoundError:
        sys.exit("python: no protoc; install Debian's protobuf-compiler")
    sys.path.insert(0, folder)


compile_messages()
from sluice.v1 import control_pb2, tensor_pb2  # noqa: E402

ControlMessage = control_pb2.ControlMessage
Result = control_pb2.Result
SliceHeader = tensor_pb2.SliceHeader

__all__ = ["ControlMessage", "DecodeError", "Result", "SliceHeader", "fill", "plain", "plain_control", "control_of"]


def plain(message):
    """Fields under their lowerCamelCase names, bytes in hex; what is a default or absent is left out."""
    return {field.json_name: plain_value(field, value) for field, value in message.ListFields()}


def plain_value(field, value):
    if field.label == field.LABEL_REPEATED:
        return [plain_single(entry) for entry in value]
    return plain_single(value)


def plain_single(value):
    if isinstance(value, bytes):
        return value.hex()
    return plain(value) if hasattr(value, "ListFields") else value


def fill(message, fields):
    """Sets the fields of a message from its plain form."""
    by_name = {field.json_name: field for field in message.DESCRIPTOR.fields}
    for name, value in fields.items():
        field = by_name[name]
        if value is None:
            continue
        if field.label == field.LABEL_REPEATED:
            for entry in value:
                if field.message_type:
                    fill(getattr(message, field.name).add(), entry)
                else:
                    getattr(message, field.name).append(entry)
        elif field.message_type:
            getattr(message, field.name).SetInParent()
            fill(getattr(message, field.name), value)
        else:
            setattr(message, field.name, bytes.fromhex(value) if field.type == field.TYPE_BYTES else value)
    return message


def plain_control(message):
    """`{kind, body}`, or None where no known kind is set (4.1)."""
    name = message.WhichOneof("message")
    if name is None:
        return None
    return {"kind": message.DESCRIPTOR.fields_by_name[name].json_name, "body": plain(getattr(message, name))}


def control_of(value):
    return fill(ControlMessage(), {value["kind"]: value["body"]})
