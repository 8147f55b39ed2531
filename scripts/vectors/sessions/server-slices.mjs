// Slices in datagrams, frames and what is answered (spec 5, 7).
import { hex } from "../hex-text.mjs";
import { controlItem } from "../message-writer.mjs";
import {
  accept,
  accepted,
  ack,
  datagram,
  done,
  ended,
  hello,
  lives,
  message,
  open,
  says,
  server,
  slice,
  wait,
  welcomed,
  whole,
} from "./session-steps.mjs";

/** At once, at the step `since`, or a little later, with others (7.1). */
const refused = (frame, since) => ({
  ...message("result", { stream: 1, frame, outcome: 2, code: 66 }),
  since,
});

export const serverSlices = [
  server(
    "frame-in-one-slice",
    ["sluice/7.1/1"],
    [welcomed, accepted, datagram(20, whole(0, 0), { says: [done(0, { elements: 6, slicesReceived: 1 })] })],
  ),
  server(
    "frame-in-two-slices-in-one-datagram",
    [],
    [
      welcomed,
      accepted,
      datagram(
        20,
        slice({ count: 2, payloadBytes: 3 }, "010203", 0) + slice({ index: 1, count: 2 }, "040506"),
        {
          says: [done(0, { elements: 6, slicesReceived: 2 })],
        },
      ),
    ],
  ),
  server(
    "frame-of-which-a-part-came",
    ["sluice/6.3/1"],
    [
      welcomed,
      accepted,
      datagram(20, slice({ count: 2 }, "010203", 0)),
      wait(300, { says: [done(0, { elements: 6, slicesReceived: 1, concealedElements: 3 })] }),
    ],
  ),
  server(
    "slices-after-the-release",
    ["sluice/5.5/1"],
    [
      welcomed,
      accepted,
      datagram(20, slice({ count: 2 }, "010203", 0)),
      wait(300, { says: [done(0, { concealedElements: 3 })] }),
      says(310, ack(0)),
      wait(400),
      datagram(410, slice({ index: 1, count: 2 }, "040506", 1), { silent: ["result"] }),
      wait(800, { silent: ["result"] }),
    ],
  ),
  server(
    "frame-twice",
    ["sluice/5.5/1"],
    [
      welcomed,
      accepted,
      datagram(20, whole(0, 0), { says: [done(0)] }),
      says(30, ack(0)),
      wait(100),
      datagram(110, whole(0, 1), { silent: ["result"] }),
      wait(500, { silent: ["result"] }),
    ],
  ),
  server(
    "slice-twice",
    [],
    [
      welcomed,
      accepted,
      datagram(20, slice({ count: 2 }, "010203", 0)),
      datagram(21, slice({ count: 2 }, "010203", 1)),
      datagram(22, slice({ index: 1, count: 2 }, "040506", 2), { says: [done(0, { slicesReceived: 2 })] }),
    ],
  ),
  server(
    "slices-in-another-order",
    [],
    [
      welcomed,
      accepted,
      datagram(20, slice({ index: 1, count: 2 }, "040506", 1)),
      datagram(21, slice({ count: 2 }, "010203", 0), { says: [done(0, { slicesReceived: 2 })] }),
    ],
  ),
  server(
    "result-is-repeated",
    ["sluice/7.1/1"],
    [
      welcomed,
      accepted,
      datagram(20, whole(0, 0), { says: [done(0)] }),
      wait(200, { says: [done(0)] }),
      says(210, ack(0)),
      wait(300),
      wait(700, { silent: ["result"] }),
    ],
  ),
  server(
    "payload-of-wrong-length",
    ["sluice/6.3/1"],
    [
      welcomed,
      accepted,
      datagram(
        20,
        slice({ count: 2, payloadBytes: 2 }, "0102", 0) + slice({ index: 1, count: 2 }, "040506"),
        {
          says: [done(0, { concealedElements: 3 })],
        },
      ),
    ],
  ),
  server(
    "nothing-decodes",
    [],
    [
      welcomed,
      accepted,
      datagram(20, slice({}, "0102", 0), {
        says: [message("result", { stream: 1, frame: 0, outcome: 3, code: 67 })],
      }),
      lives(40),
    ],
  ),
  server(
    "first-frame-above-zero",
    [],
    [
      welcomed,
      says(10, open({ firstFrame: 40 }), { says: [accept()] }),
      datagram(20, whole(40, 0), { says: [done(40)] }),
    ],
  ),
  server("empty-datagram", [], [welcomed, datagram(10, ""), lives(20)]),
  server(
    "without-sequence",
    ["sluice/5.3/1"],
    [welcomed, accepted, datagram(20, slice({}, "010203040506"), ended("malformedDatagram"))],
  ),
  server(
    "malformed-datagram",
    ["sluice/5.1/3"],
    [welcomed, accepted, datagram(20, hex("0a 08 01"), ended("malformedDatagram"))],
  ),
  server(
    "datagram-with-a-message-that-is-none",
    ["sluice/5.1/3"],
    [welcomed, datagram(20, hex("00 03 6a 05 08"), ended("protocolViolation"))],
  ),
  server(
    "alias-zero",
    ["sluice/5.3/2"],
    [welcomed, accepted, datagram(20, slice({ stream: 0 }, "00", 0), ended("malformedDatagram"))],
  ),
  server(
    "index-out-of-range",
    ["sluice/5.2/2", "sluice/5.3/3"],
    [welcomed, accepted, datagram(20, slice({ index: 2, count: 2 }, "00", 0), ended("sliceOutOfRange"))],
  ),
  server(
    "count-above-the-units",
    ["sluice/5.2/2"],
    [welcomed, accepted, datagram(20, slice({ count: 7 }, "00", 0), ended("sliceOutOfRange"))],
  ),
  server(
    "unknown-stream",
    ["sluice/5.3/4"],
    [welcomed, accepted, datagram(20, whole(0, 0, 2), ended("unknownStream"))],
  ),
  server(
    "stream-not-answered-yet",
    ["sluice/5.3/4"],
    [welcomed, says(10, open()), datagram(20, whole(0, 0), ended("unknownStream"))],
    { acceptAfterMs: 1000 },
  ),
  server(
    "rejected-stream",
    ["sluice/5.3/4"],
    [
      welcomed,
      says(10, open({ model: "nobody" }), { says: [message("reject", { stream: 1 })] }),
      datagram(20, whole(0, 0), { silent: ["result"] }),
      lives(30),
    ],
  ),
  server(
    "closed-stream",
    ["sluice/5.3/4"],
    [
      welcomed,
      accepted,
      says(20, message("close", { stream: 1 })),
      datagram(30, whole(0, 0), { silent: ["result"] }),
      lives(40),
    ],
  ),
  ...[hello, open({ stream: 2 }), message("drain", { code: 16 })].map((wrong) =>
    server(
      `${wrong.kind}-in-a-datagram`,
      ["sluice/5.4/1"],
      [welcomed, datagram(10, controlItem(wrong), ended("protocolViolation"))],
    ),
  ),
  server(
    "repair-symbol",
    ["sluice/5.8/2"],
    [
      welcomed,
      accepted,
      datagram(20, slice({ repair: 0 }, "ffffffffffff", 0), { silent: ["result"] }),
      wait(300, { silent: ["result"] }),
      datagram(310, whole(1, 1), { says: [done(1, { slicesReceived: 1 })] }),
    ],
  ),
  server(
    "report",
    [],
    [
      welcomed,
      accepted,
      datagram(20, whole(0, 0)),
      datagram(21, whole(1, 2)),
      wait(60, {
        says: [
          message("feedback", {
            datagramsReceived: 2,
            nextSequence: 3,
            lost: 1,
            lossRuns: 1,
            received: "05",
          }),
        ],
      }),
    ],
  ),
  server(
    "over-the-rate",
    ["sluice/4.4/2"],
    [
      welcomed,
      accepted,
      ...Array.from({ length: 9 }, (_, i) => datagram(20, whole(i, i))),
      datagram(21, whole(9, 9)),
      wait(70, { says: [refused(9, 11)] }),
      lives(80),
    ],
    { limits: { millihertz: 1000 } },
  ),
  server(
    "over-the-frames-in-flight",
    ["sluice/4.4/2"],
    [
      welcomed,
      accepted,
      datagram(20, whole(0, 0)),
      datagram(21, whole(1, 1)),
      wait(70, { says: [refused(1, 3)] }),
      wait(400, { says: [done(0)] }),
    ],
    { limits: { maxFramesInFlight: 1 }, answerAfterMs: 300 },
  ),
  server(
    "slices-over-max-tensor-bytes",
    ["sluice/4.4/3", "sluice/9/1"],
    [
      welcomed,
      accepted,
      datagram(20, slice({ count: 2 }, "01".repeat(60), 0)),
      datagram(21, slice({ index: 1, count: 2 }, "01".repeat(60), 1), ended("limitExceeded")),
    ],
    { limits: { maxTensorBytes: 100 } },
  ),
];
