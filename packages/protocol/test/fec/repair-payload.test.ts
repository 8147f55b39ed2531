import t from "tap";
import {
  decodeRepairPayload,
  decodeSourceSymbol,
  encodeRepairPayload,
  encodeSourceSymbol,
  repairMaskBytes,
} from "#src/fec/repair-payload.js";

const bytes = (...list: number[]) => Uint8Array.from(list);

t.test("a map and the parity come back as they were", async (t) => {
  for (const offsets of [[0], [0, 7], [0, 8], [0, 1, 2, 255], Array.from({ length: 128 }, (_, i) => 2 * i)]) {
    const parity = bytes(1, 2, 3);
    const payload = encodeRepairPayload({ offsets, parity });
    t.equal(payload.length, repairMaskBytes(offsets.at(-1)!) + 3);
    t.same(decodeRepairPayload(payload), { offsets, parity });
  }
  t.same(encodeRepairPayload({ offsets: [0, 2, 9], parity: bytes(7, 8, 9) }), bytes(2, 0x05, 0x02, 7, 8, 9));
});

t.test("symbols that cannot be are refused", async (t) => {
  for (const [name, payload] of [
    ["no bytes", bytes()],
    ["no map", bytes(0, 1, 2, 3)],
    ["a map that is cut off", bytes(2, 1)],
    ["no parity", bytes(1, 1)],
    ["parity for no datagram", bytes(1, 1, 0, 0)],
    ["a map that does not begin with the lowest", bytes(1, 2, 1, 2, 3)],
    ["a map with an empty end", bytes(2, 1, 0, 1, 2, 3)],
    ["a map of 33 bytes", bytes(33, ...new Array(33).fill(1), 1, 2, 3)],
    ["129 datagrams", bytes(17, ...new Array(16).fill(255), 1, 1, 2, 3)],
  ] as const) {
    t.throws(() => decodeRepairPayload(payload), { name: "ProtocolError", code: 7 }, name);
  }
});

t.test("a datagram comes out of its symbol, padded or not; anything else is no datagram", async (t) => {
  const datagram = Uint8Array.from({ length: 300 }, (_, i) => i);
  const symbol = encodeSourceSymbol(datagram);
  t.same(symbol.subarray(0, 2), bytes(300 & 255, 1));
  t.same(decodeSourceSymbol(symbol), datagram);
  const padded = new Uint8Array(400);
  padded.set(symbol);
  t.same(decodeSourceSymbol(padded), datagram);
  padded[399] = 1;
  t.equal(decodeSourceSymbol(padded), undefined, "padding that is not 0");
  t.equal(decodeSourceSymbol(bytes(0, 0, 0)), undefined, "no bytes");
  t.equal(decodeSourceSymbol(bytes(2, 0, 7)), undefined, "longer than the symbol");
});
