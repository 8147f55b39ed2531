// Tensors on QUIC streams of their own (spec 3.1, 5.2).
import { hex } from "../hex-text.mjs";
import { sliceItem } from "../message-writer.mjs";
import { accept, does, done, ended, open, says, server, slice, welcomed } from "./session-steps.mjs";

const whole1 = sliceItem({ stream: 1, frame: 0, count: 2, payloadBytes: 3 }, "010203");
const whole2 = sliceItem({ stream: 1, frame: 0, index: 1, count: 2, payloadBytes: 3 }, "040506");
const bring = (at, text, end, expect = {}) => does(at, { stream: 0, hex: text, end }, expect);
export const tensorStreams = [
  server(
    "tensor-stream",
    [],
    [
      welcomed,
      says(10, open({ mode: 3 }), { says: [accept()] }),
      bring(20, whole1 + whole2.slice(0, 10), false, { silent: ["result"] }),
      bring(30, whole2.slice(10), true, { says: [done(0, { slicesReceived: 2 })] }),
    ],
  ),
  server(
    "tensor-stream-cut-off",
    ["sluice/6.3/1"],
    [
      welcomed,
      says(10, open({ mode: 2 }), { says: [accept()] }),
      bring(20, whole1 + whole2.slice(0, 10), true, {
        says: [done(0, { slicesReceived: 1, concealedElements: 3 })],
      }),
    ],
  ),
  server(
    "tensor-stream-with-a-message",
    ["sluice/5.1/6"],
    [
      welcomed,
      says(10, open({ mode: 3 }), { says: [accept()] }),
      bring(20, hex("00 04 6a 02 08 05"), false, ended("protocolViolation")),
    ],
  ),
  server(
    "tensor-stream-without-payload-bytes",
    ["sluice/5.1/6"],
    [
      welcomed,
      says(10, open({ mode: 3 }), { says: [accept()] }),
      bring(20, slice({}, "010203040506"), false, ended("limitExceeded")),
    ],
  ),
  server(
    "tensor-stream-slice-too-large",
    ["sluice/5.1/6", "sluice/9/1"],
    [
      welcomed,
      says(10, open({ mode: 3 }), { says: [accept()] }),
      bring(20, hex("07 08 01 20 01 30 e9 07"), false, ended("limitExceeded")),
    ],
    { limits: { maxTensorBytes: 1000 } },
  ),
];
