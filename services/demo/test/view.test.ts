import { createViewTap } from "@sluice/demo";
import { runServedFrame, type ServedStream, serveEach } from "@sluice/server";
import { createTensor } from "@sluice/tensor";
import t from "tap";
import { readView } from "#demo/page/view-bytes.js";

const spec = { dtype: "float32", shape: [2, 2, 2], layout: "chw" } as const;
const tensor = createTensor(
  spec.dtype,
  spec.shape,
  Float32Array.from([0, 1, 2, 3, 4, 5, 6, 10]),
  spec.layout,
);
const missing = Uint8Array.from([0, 1, 0, 0, 0, 0, 0, 1]);
const served: ServedStream = serveEach(async () => ({ predictions: [] }));

async function openTap(now: () => number, maxViews = 64) {
  const tap = createViewTap({ now, maxViews });
  const stream = await tap.tap(async () => served)({ model: "any", split: "", spec, content: "model" });
  return {
    tap,
    run: async (gaps = missing) => viewOf(await runServedFrame(stream, { tensor, context: contextOf(gaps) })),
  };
}

const contextOf = (gaps: Uint8Array) => ({
  missing: gaps,
  missingCount: gaps.reduce((sum, bit) => sum + bit, 0),
});
const viewOf = (answer: unknown) => (answer as { readonly view?: string }).view;

t.test("what a page reads is what the server used, beside what was sent", async (t) => {
  const { tap, run } = await openTap(() => 0);
  const name = await run();
  t.match(name, /^[0-9a-f]{24}$/);
  const sent = createTensor(
    spec.dtype,
    spec.shape,
    Float32Array.from([0, 2, 2, 3, 4, 5, 6, 20]),
    spec.layout,
  );
  const view = readView(tap.read(name!)!, sent);
  t.strictSame([...view.missing], [...missing]);
  t.strictSame([...view.used], [0, 26, 51, 77, 102, 128, 153, 255]);
  t.strictSame([...view.sent], [0, 51, 51, 77, 102, 128, 153, 255], "by the same scale, cut at its ends");
  t.strictSame(view.shape, spec.shape);
  const other = createTensor("float32", [3], new Float32Array(3));
  t.throws(() => readView(tap.read(name!)!, other), { message: "view: 8 elements, 3 were sent" });
});

t.test("only some tensors are kept, those with gaps sooner", async (t) => {
  let nowMs = 0;
  const { run } = await openTap(() => nowMs);
  const whole = new Uint8Array(8);
  t.ok(await run(whole));
  nowMs = 160;
  t.equal(await run(whole), undefined, "nothing is missing, and the last one is not long ago");
  t.ok(await run());
  nowMs = 300;
  t.equal(await run(), undefined);
});

t.test("so many are kept and no more", async (t) => {
  let nowMs = 0;
  const { tap, run } = await openTap(() => nowMs, 2);
  const names: string[] = [];
  for (; nowMs < 3_000; nowMs += 1_000) names.push((await run())!);
  t.strictSame(
    names.map((name) => tap.read(name) !== undefined),
    [false, true, true],
  );
  t.equal(tap.read("unknown"), undefined);
});
