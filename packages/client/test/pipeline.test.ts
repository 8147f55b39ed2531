import { getEventListeners } from "node:events";
import { createClient, mapFrames, pipeline, sendFrames } from "@sluice/client";
import { createTensor, type Tensor } from "@sluice/tensor";
import t from "tap";
import { createMemoryServer } from "./memory-server.js";
import { createVirtualTime, type VirtualTime } from "./virtual-time.js";

const shape = [64];
const tensorOf = (value: number) => createTensor("uint8", shape, new Uint8Array(64).fill(value), "any");
const sleep = (time: VirtualTime, ms: number) => new Promise<void>((resolve) => time.schedule(ms, resolve));

/** Numbers at a steady rate, as from a camera that waits for nobody; tells how many it has made and whether it was closed. */
function camera(time: VirtualTime, framesPerSecond: number, count: number) {
  const state = { made: 0, isClosed: false };
  async function* frames() {
    try {
      for (; state.made < count; ) {
        yield state.made++;
        await sleep(time, 1_000 / framesPerSecond);
      }
    } finally {
      state.isClosed = true;
    }
  }
  return { state, frames: frames() };
}

async function connect(time: VirtualTime) {
  const { connect } = createMemoryServer({ clock: time });
  const opening = createClient(connect(), { clock: time });
  await time.advance(100);
  return opening;
}

t.test("stages work at the same time on different frames, and every frame is accounted for", async (t) => {
  const time = createVirtualTime();
  const client = await connect(time);
  const { frames, state } = camera(time, 50, 40);
  const run = pipeline(frames)
    .map(
      async (frame) => {
        await sleep(time, 15);
        return tensorOf(frame);
      },
      { name: "prepare" },
    )
    .client(async (tensor: Tensor) => {
      await sleep(time, 18);
      return tensor;
    })
    .encode("raw")
    .send(client, { model: "sink", deadlineMs: 500, clock: time });
  const seen: number[] = [];
  const reading = (async () => {
    for await (const { frame, outcome } of run) {
      t.equal(outcome.status, "delivered");
      seen.push(frame);
    }
  })();
  await time.advance(3_000);
  await reading;
  t.equal(state.made, 40);
  t.same(
    seen.toSorted((a, b) => a - b),
    Array.from({ length: 40 }, (_, i) => i),
    "33 ms of work at 20 ms intervals",
  );
  t.match(run.figures(), {
    ...{ offered: 40, delivered: 40, onTime: 40, dropped: 0, expired: 0, failed: 0, inFlight: 0, unread: 0 },
    stages: [
      { name: "prepare", completed: 40, meanMs: 15, maxMs: 15, failed: 0, working: 0, waiting: 0 },
      { name: "client", completed: 40, meanMs: 18, maxMs: 18 },
    ],
  });
  t.match(await run.stream, { codec: "raw", spec: { dtype: "uint8", shape, layout: "any" } });
  client.close();
});

t.test("a source ten times too fast: drops before any work, and nothing grows", async (t) => {
  const time = createVirtualTime();
  const client = await connect(time);
  const { frames, state } = camera(time, 300, 3_000);
  let worked = 0;
  const run = pipeline(frames)
    .client(async (frame) => {
      worked++;
      await sleep(time, 33);
      return tensorOf(frame % 256);
    })
    .encode("raw")
    .send(client, { model: "sink", deadlineMs: 150, maxInFlight: 4, clock: time });
  let taken = 0;
  let most = 0;
  let mostInStage = 0;
  const reasons = new Set<string>();
  const reading = (async () => {
    for await (const { outcome } of run) {
      taken++;
      const { inFlight, unread, stages } = run.figures();
      mostInStage = Math.max(mostInStage, stages[0]!.waiting + stages[0]!.working);
      most = Math.max(most, state.made - taken, inFlight + unread);
      if (outcome.status === "dropped") reasons.add(outcome.reason);
    }
  })();
  await time.advance(12_000);
  await reading;
  const { offered, dropped, delivered, expired, onTime } = run.figures();
  t.equal(offered, 3_000);
  t.equal(dropped + delivered + expired, 3_000);
  t.equal(worked, delivered + expired, "no work on what is dropped");
  t.ok(onTime >= 280 && onTime <= 310, `${onTime} of 300 that fit`);
  t.ok(most <= 8 && mostInStage <= 2, `${most} frames at once, ${mostInStage} in the stage`);
  t.same([...reasons], ["in-flight"]);
  client.close();
});

t.test("a source that can wait waits, and no frame is dropped", async (t) => {
  const time = createVirtualTime();
  const client = await connect(time);
  let asked = 0;
  let taken = 0;
  function* files() {
    for (; asked < 50; asked++) yield tensorOf(asked);
  }
  const run = pipeline(files())
    .client({ run: async (inputs) => sleep(time, 10).then(() => inputs) })
    .send(client, {
      ...{ model: "sink", mode: "reliable", deadlineMs: 200, maxInFlight: 3, whenFull: "wait", clock: time },
    });
  const reading = (async () => {
    for await (const { outcome } of run) {
      t.equal(outcome.status, "delivered");
      taken++;
      t.ok(asked - taken <= 4, "three under way, and one in hand");
    }
  })();
  await time.advance(3_000);
  await reading;
  t.equal(taken, 50);
  client.close();
});

t.test("abort ends it at once: the source is closed and stages hear of it", async (t) => {
  const time = createVirtualTime();
  const client = await connect(time);
  const { frames, state } = camera(time, 100, 1_000);
  const stop = new AbortController();
  let heard = 0;
  const run = pipeline(frames)
    .client((frame, { signal }) => {
      return sleep(time, 30).then(() => {
        if (signal.aborted) heard++;
        return tensorOf(frame);
      });
    })
    .send(client, { model: "sink", deadlineMs: 150, signal: stop.signal, clock: time });
  let taken = 0;
  const reading = (async () => {
    for await (const _ of run) taken++;
  })();
  await time.advance(500);
  t.ok(taken > 5);
  stop.abort();
  await reading;
  await time.advance(500);
  t.ok(heard > 0);
  t.equal(state.isClosed, true);
  const { offered, dropped, expired, delivered, failed, inFlight } = run.figures();
  t.equal(dropped + expired + delivered + failed + inFlight, offered);
  t.equal(inFlight, 0);
  client.close();
});

for (const [where, fail] of [
  ["a stage", "client"],
  ["the source", "source"],
] as const) {
  t.test(`what ${where} throws ends the loop`, async (t) => {
    const time = createVirtualTime();
    const client = await connect(time);
    async function* frames() {
      for (let i = 0; ; i++) {
        if (fail === "source" && i === 3) throw new Error("broken");
        yield i;
        await sleep(time, 20);
      }
    }
    const run = pipeline(frames())
      .client((frame) => {
        if (fail === "client" && frame === 3) throw new Error("broken");
        return tensorOf(frame);
      })
      .send(client, { model: "sink", deadlineMs: 150, clock: time });
    const reading = t.rejects(
      (async () => {
        for await (const _ of run);
      })(),
      /broken/,
    );
    await time.advance(500);
    await reading;
    client.close();
  });
}

t.test("leaving the loop closes the source; a model that is not served is an error", async (t) => {
  const time = createVirtualTime();
  const client = await connect(time);
  const { frames, state } = camera(time, 100, 1_000);
  const run = sendFrames(
    frames,
    { send: async () => ({ status: "expired", reason: "no-result" }) as const },
    { clock: time },
  );
  const reading = (async () => {
    for await (const { outcome } of run) {
      t.equal(outcome.status, "expired");
      break;
    }
  })();
  await time.advance(100);
  await reading;
  t.equal(state.isClosed, true);
  t.throws(
    () =>
      sendFrames(
        [],
        { send: async () => ({ status: "dropped", reason: "deadline" }) as const },
        { maxInFlight: 0 },
      ),
    /maxInFlight/,
  );
  t.throws(() => pipeline([1]).map((x) => x, { concurrency: 0 }), /concurrency/);
  t.throws(() => pipeline([1]).map((x) => x, { queue: -1 }), /queue/);
  const refused = pipeline([tensorOf(1)])
    .encode("no-such-codec")
    .send(client, { model: "sink", clock: time });
  const failing = t.rejects(
    (async () => {
      for await (const _ of refused);
    })(),
    /no-such-codec/,
  );
  await time.advance(100);
  await failing;
  client.close();
});

t.test("mapFrames keeps the order and asks for no more than it works on", async (t) => {
  const time = createVirtualTime();
  let asked = 0;
  function* numbers() {
    for (; asked < 6; asked++) yield asked;
  }
  const values: number[] = [];
  const reading = (async () => {
    for await (const value of mapFrames(
      numbers(),
      // Later ones are quicker.
      (frame) => sleep(time, 100 - 10 * frame).then(() => frame * 2),
      { concurrency: 3 },
    )) {
      values.push(value);
      t.ok(asked - values.length <= 3);
    }
  })();
  await time.advance(1_000);
  await reading;
  t.same(values, [0, 2, 4, 6, 8, 10]);
  const stop = new AbortController();
  stop.abort(new Error("enough"));
  await t.rejects(mapFrames([1], (x) => x, { signal: stop.signal }).next(), /enough/);
  await t.rejects(mapFrames([1], () => Promise.reject(new Error("no")), {}).next(), /no/);
  await t.rejects(mapFrames([1], (x) => x, { concurrency: 0 }).next(), /concurrency/);
});

t.test("mapFrames ends at once when it is aborted, whatever the source and the work do", async (t) => {
  const forever = new Promise<never>(() => {});
  let isClosed = false;
  const silent = {
    [Symbol.asyncIterator]: () => ({
      next: () => forever,
      return: async () => {
        isClosed = true;
        return { done: true as const, value: undefined };
      },
    }),
  };
  const ways = [mapFrames<number, number>(silent, (x) => x, { signal: stopAfterATurn("silent") })];
  ways.push(mapFrames([1, 2], () => forever, { signal: stopAfterATurn("at work") }));
  await t.rejects(ways[0]!.next(), /silent/);
  t.ok(isClosed);
  await t.rejects(ways[1]!.next(), /at work/);

  const signal = new AbortController().signal;
  const values: number[] = [];
  for await (const value of mapFrames([1, 2, 3], async (x) => 2 * x, { signal })) values.push(value);
  t.same(values, [2, 4, 6]);
  await new Promise(setImmediate);
  t.equal(
    getEventListeners(signal, "abort").length,
    0,
    "a signal that outlives many frames holds none of them",
  );
});

function stopAfterATurn(reason: string): AbortSignal {
  const stop = new AbortController();
  setImmediate(() => stop.abort(new Error(reason)));
  return stop.signal;
}
