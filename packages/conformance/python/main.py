"""A second implementation of Sluice's wire, written from spec/ and proto/ alone.

Reads requests of the line protocol (packages/conformance/README.md) on stdin and answers on stdout. Needs Debian's
python3-protobuf and protobuf-compiler; the code of the messages is made in a temporary folder at the start.
"""
import json
import sys
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).parent))
from wire_error import WireError  # noqa: E402
import fec  # noqa: E402
import mux  # noqa: E402
import reports  # noqa: E402
import tensors  # noqa: E402
import wire  # noqa: E402

OPERATIONS = {**wire.OPERATIONS, **tensors.OPERATIONS, **reports.OPERATIONS, **mux.OPERATIONS, **fec.OPERATIONS}


def answer(operation, value):
    if operation not in OPERATIONS:
        return {"unsupported": True}
    try:
        return {"output": OPERATIONS[operation](value)}
    except WireError as error:
        return {"error": error.name}


for line in sys.stdin:
    request = json.loads(line)
    reply = {"id": request["id"], **answer(request["op"], request["input"])}
    print(json.dumps(reply), flush=True)
