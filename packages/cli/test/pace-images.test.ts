import { createSyntheticSource, type LabelledImage } from "@sluice/inference";
import t from "tap";
import { paceImages } from "#cli/pace-images.js";

const shape = [1, 2, 2];
const quick = { fps: 100_000, frames: undefined, durationSeconds: undefined };

/** Gives so many images, and then nothing more comes; tells how many were asked for and whether it was left. */
function falteringSource(count: number) {
  const state = { asked: 0, isLeft: false };
  const image = { name: "", image: {}, pixels: undefined, label: undefined } as unknown as LabelledImage;
  const source: AsyncIterable<LabelledImage> = {
    [Symbol.asyncIterator]: () => ({
      next: () =>
        state.asked++ < count ? Promise.resolve({ done: false, value: image }) : new Promise(() => {}),
      async return() {
        state.isLeft = true;
        return { done: true, value: undefined };
      },
    }),
  };
  return { state, source };
}

async function count(images: AsyncIterable<unknown>, each = (_n: number) => {}): Promise<number> {
  let n = 0;
  for await (const _ of images) each(++n);
  return n;
}

t.test("a source begins again until there are frames enough", async (t) => {
  const signal = new AbortController().signal;
  const three = createSyntheticSource(shape, { count: 3 });
  t.equal(await count(paceImages(three, { ...quick, frames: 8 }, signal)), 8);
  t.equal(await count(paceImages(createSyntheticSource(shape, { count: 0 }), quick, signal)), 0);
});

t.test("no more is asked for than is offered", async (t) => {
  const { source, state } = falteringSource(2);
  t.equal(await count(paceImages(source, { ...quick, frames: 2 }, new AbortController().signal)), 2);
  t.same(state, { asked: 2, isLeft: true });
});

t.test("a source from which nothing comes is left, for the signal and when the time is over", async (t) => {
  const stop = new AbortController();
  const first = falteringSource(1);
  t.equal(
    await count(paceImages(first.source, quick, stop.signal), () => setImmediate(() => stop.abort())),
    1,
  );
  t.ok(first.state.isLeft);
  t.equal(await count(paceImages(falteringSource(1).source, quick, stop.signal)), 0, "aborted before");
  const second = falteringSource(0);
  const brief = { ...quick, durationSeconds: 0.001 };
  t.equal(await count(paceImages(second.source, brief, new AbortController().signal)), 0);
  t.ok(second.state.isLeft);
});

t.test("what is due by the end is offered, although the machine was busy", async (t) => {
  const images = createSyntheticSource(shape);
  const busy = (n: number) => {
    const untilMs = performance.now() + 60;
    while (n === 1 && performance.now() < untilMs);
  };
  const pace = { fps: 100, frames: undefined, durationSeconds: 0.05 };
  t.equal(await count(paceImages(images, pace, new AbortController().signal), busy), 5);
});

t.test("what the source throws is thrown", async (t) => {
  async function* broken(): AsyncGenerator<LabelledImage> {
    yield* [];
    throw new Error("no camera");
  }
  await t.rejects(count(paceImages(broken(), quick, new AbortController().signal)), /no camera/);
});
