// Results and their acknowledgement (spec 3.2, 7.1).
import { controlItem } from "../message-writer.mjs";
import { first, goes, isAccepted, opens, said, send } from "./client-steps.mjs";
import { client, datagram, done, lives, wait } from "./session-steps.mjs";

const results = (from, to, fields = {}) =>
  Array.from({ length: to - from }, (_, i) => controlItem(done(from + i, { payload: "c3", ...fields }))).join(
    "",
  );
const upTo = (n) => Array.from({ length: n }, (_, i) => i);
export const clientResults = [
  client(
    "result-is-acknowledged",
    ["sluice/7.1/2"],
    [
      first,
      said,
      opens,
      isAccepted,
      send(40, goes(0)),
      datagram(60, results(0, 1), { delivered: [{ stream: 1, frame: 0 }] }),
      wait(160, { acks: [{ stream: 1, frames: [0] }] }),
    ],
  ),
  client(
    "result-twice",
    ["sluice/7.1/2", "sluice/7.1/3"],
    [
      first,
      said,
      opens,
      isAccepted,
      send(40, goes(0)),
      datagram(60, results(0, 1), { delivered: [{ stream: 1, frame: 0 }] }),
      wait(160, { acks: [{ stream: 1, frames: [0] }] }),
      datagram(170, results(0, 1, { outcome: 4, code: 68 }), { delivered: [] }),
      wait(270, { acks: [{ stream: 1, frames: [0] }], delivered: [] }),
    ],
  ),
  client(
    "results-that-nobody-wants",
    ["sluice/7.1/2"],
    [
      first,
      said,
      opens,
      isAccepted,
      datagram(60, results(7, 8), { delivered: [] }),
      wait(160, { acks: [{ stream: 1, frames: [7] }] }),
      lives(170),
    ],
  ),
  client(
    "more-results-at-once-than-an-acknowledgement-takes",
    ["sluice/7.1/2", "sluice/9/1"],
    [
      first,
      said,
      opens,
      isAccepted,
      datagram(60, results(0, 100)),
      wait(200, { acks: [{ stream: 1, frames: upTo(100) }] }),
    ],
  ),
  client(
    "outcome-unknown",
    [],
    [
      first,
      said,
      opens,
      isAccepted,
      send(40, goes(0)),
      datagram(60, results(0, 1, { outcome: 9, payload: "" }), { delivered: [] }),
      wait(160, { acks: [{ stream: 1, frames: [0] }] }),
      lives(170),
    ],
  ),
];
