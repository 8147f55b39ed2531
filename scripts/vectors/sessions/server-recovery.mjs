// Repair symbols and what they bring back (spec 5.8).
import { repairPayload } from "../fec.mjs";
import { controlItem } from "../message-writer.mjs";
import {
  accept,
  datagram,
  done,
  ended,
  lives,
  message,
  open,
  says,
  server,
  slice,
  wait,
  welcomed,
} from "./session-steps.mjs";

/** Halves of a frame in the datagrams 0 and 1, and a symbol over them in the datagram 2. */
const halves = [0, 1].map((index) => ({
  sequence: index,
  hex: slice({ index, count: 2 }, index === 0 ? "010203" : "040506", index),
}));
const symbol = (fields = {}, row = 0, datagrams = halves) =>
  slice({ index: row, count: 9, repair: 2, ...fields }, repairPayload(datagrams, row), fields.sequence ?? 2);
const protectedStream = says(10, open({ fec: "rs" }), { says: [accept()] });
const whole6 = { elements: 6, concealedElements: 0 };
const withPing = { sequence: 1, hex: `${controlItem(message("ping", { id: 9 }))}${halves[1].hex}` };

export const serverRecovery = [
  server(
    "fec/lost-and-recovered",
    ["sluice/5.8/4", "sluice/5.8/6"],
    [
      welcomed,
      protectedStream,
      datagram(20, halves[0].hex, { silent: ["result"] }),
      datagram(21, symbol(), { says: [done(0, { ...whole6, slicesReceived: 1, slicesRecovered: 1 })] }),
      // Its report may have gone with the result; the one on the next frame counts from the beginning too.
      datagram(30, slice({ frame: 1, count: 2 }, "010203", 3)),
      wait(60, {
        says: [
          message("feedback", {
            datagramsReceived: 3,
            nextSequence: 4,
            lost: 1,
            received: "0b",
            recovered: "04",
          }),
        ],
      }),
    ],
  ),
  server(
    "fec/both-lost",
    ["sluice/5.8/4"],
    [
      welcomed,
      protectedStream,
      datagram(20, symbol({}, 5), { silent: ["result"] }),
      datagram(21, symbol({ sequence: 3, repair: 3 }, 1), {
        says: [done(0, { ...whole6, slicesRecovered: 2 })],
      }),
    ],
  ),
  server(
    "fec/symbol-before-its-datagrams",
    ["sluice/5.8/4"],
    [
      welcomed,
      protectedStream,
      datagram(20, symbol(), { silent: ["result"] }),
      datagram(21, halves[1].hex, { says: [done(0, { ...whole6, slicesReceived: 1, slicesRecovered: 1 })] }),
    ],
  ),
  server(
    "fec/recovered-message",
    ["sluice/5.8/6"],
    [
      welcomed,
      protectedStream,
      datagram(20, halves[0].hex),
      datagram(21, symbol({}, 0, [halves[0], withPing]), { says: [done(0, whole6)], silent: ["pong"] }),
    ],
  ),
  server(
    "fec/symbol-that-lies",
    ["sluice/5.8/7"],
    [
      welcomed,
      protectedStream,
      datagram(20, halves[0].hex),
      datagram(21, symbol({ index: 1 }), { silent: ["result"] }),
      lives(30),
    ],
  ),
  server(
    "fec/symbol-that-comes-twice",
    [],
    [
      welcomed,
      protectedStream,
      datagram(20, symbol()),
      datagram(21, symbol(), { silent: ["result"] }),
      datagram(22, halves[0].hex, { says: [done(0, whole6)] }),
      datagram(23, symbol(), { silent: ["result"] }),
      lives(30),
    ],
  ),
  ...[
    ["protects-itself", { repair: 0 }, "0101030000"],
    ["protects-what-comes-later", { repair: 1 }, "0103030000"],
    ["before-the-first", { repair: 3 }, "0101030000"],
    ["no-map", { repair: 2 }, "00"],
    ["symbol-too-short", { repair: 2 }, "01010300"],
  ].map(([name, fields, payload]) =>
    server(
      `fec/${name}`,
      ["sluice/5.8/5"],
      [welcomed, protectedStream, datagram(20, slice(fields, payload, 2), ended("malformedDatagram"))],
    ),
  ),
  server(
    "fec/symbol-of-a-stream-never-opened",
    ["sluice/5.3/4"],
    [welcomed, protectedStream, datagram(20, symbol({ stream: 2 }), ended("unknownStream"))],
  ),
];
