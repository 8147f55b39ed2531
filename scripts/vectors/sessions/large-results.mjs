// Results on QUIC streams of their own (spec 7.4).
import { resultStream, sliceItem } from "../message-writer.mjs";
import { first, goes, isAccepted, said, send } from "./client-steps.mjs";
import {
  accept,
  ack,
  client,
  datagram,
  does,
  done,
  ended,
  lives,
  message,
  open,
  openBody,
  says,
  server,
  wait,
  welcomed,
  whole,
} from "./session-steps.mjs";

const opened = (fields) => says(10, open(fields), { says: [accept()] });
const asked = opened({ maxResultBytes: 100_000 });
const answered = (answerBytes, limits) => ({ answerBytes, ...(limits ? { limits } : {}) });
const large = (frame, bytes) => ({ results: [{ stream: 1, frame, bytes }], silent: ["result"] });
const failed = message("result", { stream: 1, frame: 0, outcome: 4, code: 5 });
const late = message("result", { stream: 1, frame: 0, outcome: 2, code: 69 });

const opens = does(
  20,
  { open: { ...openBody, stream: 1, maxResultBytes: 1_000 } },
  { says: [message("open", { stream: 1, maxResultBytes: 1_000 })] },
);
const filling = "5a".repeat(300);
const result = (fields = {}) =>
  resultStream({ stream: 1, frame: 0, outcome: 1, elements: 6, payloadBytes: 300, ...fields }, filling);
const bring = (at, id, text, expect = {}, more = { end: true }) =>
  does(at, { stream: id, hex: text, ...more }, expect);
const toClient = (id, shows, steps) =>
  client(id, shows, [first, said, opens, isAccepted, send(40, goes(0)), ...steps]);
const tensor = sliceItem({ stream: 1, frame: 0, count: 1, payloadBytes: 6 }, "010203040506");
const none = { delivered: [] };

export const largeResults = [
  server(
    "large-result",
    ["sluice/7.4/3", "sluice/7.4/5"],
    [
      welcomed,
      asked,
      datagram(20, whole(0, 0), large(0, 20_000)),
      says(60, ack(0)),
      wait(400, { silent: ["result"], results: [] }),
    ],
    answered(20_000),
  ),
  server(
    "large-result-late",
    ["sluice/7.4/5"],
    [
      welcomed,
      asked,
      datagram(20, whole(0, 0), large(0, 20_000)),
      wait(200, { silent: ["result"] }),
      wait(300, { says: [late], results: [] }),
      says(310, ack(0)),
      datagram(320, whole(1, 1), large(1, 20_000)),
    ],
    answered(20_000),
  ),
  server(
    "large-result-reliable",
    ["sluice/7.4/5"],
    [
      welcomed,
      opened({ maxResultBytes: 100_000, mode: 3 }),
      does(20, { stream: 0, hex: tensor, end: true }, large(0, 20_000)),
      wait(1_000, { silent: ["result"] }),
    ],
    answered(20_000),
  ),
  server(
    "large-result-not-asked-for",
    ["sluice/7.4/1"],
    [
      welcomed,
      opened({}),
      datagram(20, whole(0, 0), { results: [] }),
      wait(30, { says: [done(0)], results: [] }),
    ],
    answered(20_000),
  ),
  server(
    "small-result-where-large-ones-may-come",
    [],
    [welcomed, asked, datagram(20, whole(0, 0), { says: [done(0, { payload: "c3" })], results: [] })],
  ),
  server(
    "large-result-over-what-the-client-takes",
    ["sluice/7.4/1"],
    [
      welcomed,
      opened({ maxResultBytes: 69_999 }),
      datagram(20, whole(0, 0), { says: [failed], results: [] }),
    ],
    answered(70_000),
  ),
  server(
    "large-result-over-the-servers-limit",
    ["sluice/7.4/1"],
    [
      says(0, message("hello", { versions: [1] }), {
        says: [message("welcome", { limits: { maxResultBytes: 69_999 } })],
      }),
      asked,
      datagram(20, whole(0, 0), { says: [failed], results: [] }),
    ],
    answered(70_000, { maxResultBytes: 69_999 }),
  ),
  toClient(
    "large-result",
    ["sluice/7.4/3"],
    [
      bring(60, 0, result().slice(0, 200), none, {}),
      bring(61, 0, result().slice(200), {
        says: [ack(0)],
        delivered: [{ stream: 1, frame: 0 }],
      }),
      lives(170),
    ],
  ),
  toClient(
    "large-result-reset",
    [],
    [
      bring(60, 0, result().slice(0, 200), none, { reset: true }),
      wait(160, { silent: ["resultAck"], delivered: [] }),
      lives(170),
    ],
  ),
  toClient(
    "large-result-again",
    ["sluice/7.1/3"],
    [
      bring(60, 0, result(), { delivered: [{ stream: 1, frame: 0 }] }),
      bring(61, 1, result(), none),
      lives(170),
    ],
  ),
  toClient(
    "large-result-of-a-frame-that-was-never-sent",
    [],
    [bring(60, 0, result({ frame: 7 }), none), wait(160, { silent: ["resultAck"] }), lives(170)],
  ),
  toClient(
    "large-result-over-what-it-takes",
    ["sluice/7.4/2", "sluice/9/1"],
    [bring(60, 0, result({ payloadBytes: 1_001 }), ended("limitExceeded"), {})],
  ),
  toClient(
    "large-result-longer-than-it-says",
    ["sluice/7.4/2"],
    [bring(60, 0, result({ payloadBytes: 299 }), ended("protocolViolation"), {})],
  ),
  toClient(
    "large-result-shorter-than-it-says",
    ["sluice/7.4/2"],
    [bring(60, 0, result({ payloadBytes: 301 }), ended("protocolViolation"))],
  ),
  toClient(
    "large-result-that-is-none",
    ["sluice/7.4/2"],
    [bring(60, 0, "00", ended("protocolViolation"), {})],
  ),
  client(
    "large-result-before-welcome",
    ["sluice/7.4/2"],
    [first, bring(10, 0, result(), ended("protocolViolation"), {})],
  ),
  client(
    "large-result-not-asked-for",
    ["sluice/7.4/2"],
    [
      first,
      said,
      does(20, { open: { ...openBody, stream: 1 } }, { says: [open()] }),
      isAccepted,
      send(40, goes(0)),
      bring(60, 0, result(), ended("limitExceeded"), {}),
    ],
  ),
];
