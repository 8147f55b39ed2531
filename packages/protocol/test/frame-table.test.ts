import { createFrameTable } from "@sluice/protocol";
import { createRandom } from "@sluice/simnet";
import t from "tap";

t.test("a frame table is a map by stream and frame, in the order of insertion", async (t) => {
  const seed = Number(process.env.SEED ?? 20);
  const random = createRandom(seed);
  const below = (count: number) => Math.floor(random.next() * count);
  const table = createFrameTable<number>();
  const model = new Map<string, number>();
  let found = 0;
  for (let step = 0; step < 20_000; step++) {
    const stream = 1 + below(3);
    const frame = below(20) + (below(4) === 0 ? 0xfffffff0 - 20 : 0);
    const key = `${stream}/${frame}`;
    switch (below(8)) {
      case 0:
      case 1:
      case 2:
        table.set(stream, frame, step);
        model.set(key, step);
        break;
      case 3:
        if (table.take(stream, frame) !== model.get(key)) t.fail(`seed ${seed}, step ${step}: take ${key}`);
        model.delete(key);
        break;
      case 4: {
        const oldest = model.keys().next().value;
        const value = oldest === undefined ? undefined : model.get(oldest);
        if (table.shift() !== value) t.fail(`seed ${seed}, step ${step}: shift`);
        if (oldest !== undefined) model.delete(oldest);
        break;
      }
      case 5:
        if (step % 500 === 0) {
          table.clear();
          model.clear();
        }
        break;
      default:
        if (table.get(stream, frame) !== model.get(key)) t.fail(`seed ${seed}, step ${step}: get ${key}`);
        if (model.has(key)) found++;
    }
    if (table.size !== model.size)
      t.fail(`seed ${seed}, step ${step}: size ${table.size}, not ${model.size}`);
    if (step % 100 === 0) t.same([...table.values], [...model.values()]);
  }
  t.ok(found > 100, `${found} found`);
});

t.test("names that only a peer can make up are no frame's", async (t) => {
  const table = createFrameTable<string>();
  table.set(1, 5, "five");
  for (const [stream, frame] of [
    [0, 5],
    [2 ** 32 - 1, 2 ** 32 - 1],
    [Number.NaN, 5],
  ] as const)
    t.equal(table.take(stream, frame), undefined, `${stream}/${frame}`);
  t.equal(table.get(1, 5), "five");
});
