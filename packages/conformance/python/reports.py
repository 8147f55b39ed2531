"""Receiver reports (spec 5.6)."""
from messages import ControlMessage

MAX_REPORTED_ARRIVALS = 64
MAX_REPORTED_BITS = 256
MAX_REPORTED_FRAMES = 32


def make(value):
    arrivals = value["arrivals"]
    come = {arrival["sequence"] for arrival in arrivals}
    following = max(come, default=-1) + 1
    missing = [number for number in range(following) if number not in come]
    sequence, time = following, value["reportTime"]
    sequences, times = [], []
    for arrival in arrivals[-MAX_REPORTED_ARRIVALS:]:
        sequences.append(arrival["sequence"] - sequence)
        times.append(arrival["at"] - time)
        sequence, time = arrival["sequence"], arrival["at"]
    bits = min(following, MAX_REPORTED_BITS)
    received = bytearray((bits + 7) // 8)
    for i in range(bits):
        if following - 1 - i in come:
            received[i // 8] |= 1 << (i % 8)
    restored = bytearray(len(received))
    for number in value.get("recovered", []):
        bit = following - 1 - number
        if number not in come and 0 <= bit < bits:
            restored[bit // 8] |= 1 << (bit % 8)
    report = {
        "datagramsReceived": len(arrivals),
        "bytesReceived": sum(arrival["bytes"] for arrival in arrivals),
        "nextSequence": following,
        "lost": len(missing),
        "lossRuns": sum(number - 1 not in missing for number in missing),
        "arrivalSequences": sequences,
        "arrivalTimes": times,
        "queuedFrames": value["queuedFrames"],
        "frames": value["frames"][-MAX_REPORTED_FRAMES:],
        "reportTime": value["reportTime"] % 2**32,
        "received": received.hex(),
    }
    if any(restored):
        report["recovered"] = restored.rstrip(b"\0").hex()
    return {"report": report}


def read(value):
    report = ControlMessage.FromString(bytes.fromhex(value["hex"])).feedback
    sequence, before = report.next_sequence, 0
    arrivals = []
    for number, time in zip(report.arrival_sequences, report.arrival_times):
        sequence += number
        before -= time
        arrivals.append({"sequence": sequence, "beforeReport": before})

    def has_come(number):
        bit = report.next_sequence - 1 - number
        if not 0 <= bit < 8 * len(report.received):
            return None
        return bool(report.received[bit // 8] >> (bit % 8) & 1)

    return {"arrivals": arrivals, "come": [has_come(number) for number in value["sequences"]]}


OPERATIONS = {"report.make": make, "report.read": read}
