import { createRandom } from "@sluice/simnet";
import t from "tap";
import { coefficient, reedSolomon } from "#src/fec/reed-solomon.js";

const bytes = (...list: number[]) => Uint8Array.from(list);

t.test("the first symbol is XOR, whatever the group", async (t) => {
  for (let position = 0; position < 128; position++) t.equal(coefficient(0, position), 1);
  t.same(reedSolomon.encode([bytes(1, 2, 3), bytes(4, 8)], [0], 3), [bytes(5, 10, 3)]);
});

t.test("any as many symbols as sources are missing give them back", async (t) => {
  const seed = 32;
  t.comment(`seed ${seed}`);
  const random = createRandom(seed);
  const below = (limit: number) => Math.floor(random.next() * limit);
  const shuffled = (count: number) =>
    Array.from({ length: count }, (_, i) => ({ i, key: random.next() }))
      .sort((a, b) => a.key - b.key)
      .map(({ i }) => i);
  for (let round = 0; round < 60; round++) {
    const count = round < 2 ? 128 : 1 + below(40);
    const symbolBytes = 3 + below(40);
    const sources = Array.from({ length: count }, () =>
      Uint8Array.from({ length: 1 + below(symbolBytes) }, () => below(256)),
    );
    const missing = shuffled(count).slice(0, round === 0 ? 128 : 1 + below(Math.min(count, 20)));
    const rows = shuffled(128).slice(0, missing.length);
    const parity = reedSolomon
      .encode(sources, rows, symbolBytes)
      .map((symbol, i) => ({ row: rows[i]!, symbol }));
    const found = reedSolomon.recover(
      sources.map((source, i) => (missing.includes(i) ? undefined : source)),
      parity,
      symbolBytes,
    );
    const padded = missing
      .sort((a, b) => a - b)
      .map((i) => {
        const symbol = new Uint8Array(symbolBytes);
        symbol.set(sources[i]!);
        return symbol;
      });
    t.same(found, padded, `${missing.length} of ${count}`);
  }
});
