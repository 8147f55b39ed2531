import { createSyntheticSource, type LabelledImage, openSource, preprocessPresets } from "@sluice/inference";
import t from "tap";
import { peekImages } from "#cli/peek-images.js";

async function namesOf(source: AsyncIterable<LabelledImage>): Promise<string[]> {
  const names: string[] = [];
  for await (const { name } of source) names.push(name);
  return names;
}

/** Frames of 4 bytes on standard input; tells whether it was let go of. */
async function openStdin(frames: number) {
  const state = { isClosed: false };
  async function* bytes() {
    try {
      for (let i = 0; i < frames; i++) yield new Uint8Array(4);
    } finally {
      state.isClosed = true;
    }
  }
  const model = {
    input: { name: "x", dtype: "uint8", shape: [1, 2, 2], layout: "chw", batch: "dynamic" },
    ...{ preprocess: preprocessPresets.none, labels: [] },
  } as const;
  return { state, source: await openSource("stdin", model, { stdin: bytes() }) };
}

t.test("a source with one pass loses nothing of what was looked at", async (t) => {
  const { source, state } = await openStdin(5);
  const peeked = await peekImages(source, 2);
  t.same(
    peeked.first.map(({ name }) => name),
    ["stdin#0", "stdin#1"],
  );
  t.same(
    await namesOf(peeked.source),
    [0, 1, 2, 3, 4].map((n) => `stdin#${n}`),
  );
  t.same(await namesOf(peeked.source), [], "there is no second pass");
  t.ok(state.isClosed);
});

t.test("other sources begin again each time, and one that is shorter is given whole", async (t) => {
  const peeked = await peekImages(createSyntheticSource([1, 2, 2], { count: 3 }), 5);
  t.equal(peeked.first.length, 3);
  for (let pass = 0; pass < 2; pass++) t.same(await namesOf(peeked.source), ["0", "1", "2"]);
});

t.test("whoever reads nothing more lets go of the source", async (t) => {
  const { source, state } = await openStdin(5);
  const peeked = await peekImages(source, 2);
  t.notOk(state.isClosed);
  await peeked.close();
  t.ok(state.isClosed);
});

t.test("an abort does not wait for a source from which nothing comes", async (t) => {
  const stop = new AbortController();
  let isLeft = false;
  const silent: AsyncIterable<LabelledImage> = {
    [Symbol.asyncIterator]: () => ({
      next: () => new Promise(() => {}),
      async return() {
        isLeft = true;
        return { done: true, value: undefined };
      },
    }),
  };
  setImmediate(() => stop.abort(new Error("enough")));
  await t.rejects(peekImages(silent, 2, stop.signal), /enough/);
  t.ok(isLeft);
});
