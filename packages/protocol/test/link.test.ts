/** The two cores over narrow, slow, shared and dark links: what the protocol promises about them (spec 3.3, 3.4). */
import t from "tap";
import type { Busy, Slow } from "./real-path.js";
import {
  createVirtualNetwork,
  createVirtualSession,
  streamFrames,
  streamOptions,
} from "./virtual-session.js";

// Minutes of virtual time: a busy machine takes its while.
t.setTimeout(180_000);

const path = { delayMs: 20, rateBitsPerSecond: 20_000_000, queueMs: 100 };

for (const [loss, burst] of [
  [0, 1],
  [0.02, 1],
  [0.05, 1],
  [0.05, 4],
] as const) {
  t.test(
    `20 Mbit/s, ${loss * 100} % loss in bursts of ${burst}: small and large tensors keep their deadline`,
    async (t) => {
      const lossy = { ...path, loss, burst };
      for (const [bytes, deadlineShare, goodputShare] of [
        [5_120, 0.995, 0],
        [100_352, 0.99, 0.8],
      ] as const) {
        const seed = 21;
        const session = createVirtualSession({ seed, up: lossy, down: lossy });
        const options = { ...streamOptions, spec: { ...streamOptions.spec, shape: [bytes] } };
        const stream = session.client.openStream(options);
        session.runUntil(300);
        const seconds = 8;
        streamFrames(session, stream, {
          ...{ frames: 30 * seconds, intervalMs: 1_000 / 30, bytes: new Uint8Array(bytes) },
        });
        session.runUntil(300 + seconds * 1_000 + 500);
        const { figures } = session.client;
        t.equal(figures.offered, figures.dropped + figures.expired + figures.delivered);
        t.comment(`seed ${seed}: ${JSON.stringify(figures)}`);
        t.ok(
          figures.onTime >= deadlineShare * figures.admitted,
          `on time ${figures.onTime} of ${figures.admitted}`,
        );
        const goodput = (figures.onTime * bytes * 8) / seconds;
        t.ok(goodput >= goodputShare * 20_000_000, `goodput ${goodput}`);
        t.equal(session.upLink.counters().droppedQueue, 0, "the queue is never filled");
      }
    },
  );
}

/** 30 tensors a second over `link`, with the timers and the opening of a real transport. */
function streamForReal(
  link: typeof path,
  bytes: Uint8Array,
  {
    seed,
    seconds,
    maxDatagramBytes,
    busy,
    slow,
  }: {
    seed: number;
    seconds: number;
    maxDatagramBytes: number;
    busy?: Busy;
    slow?: Slow;
  },
) {
  const real = {
    timerMs: 1,
    openingBytes: 43_200,
    stallMs: 8,
    ...(busy ? { busy } : {}),
    ...(slow ? { slow } : {}),
  };
  const session = createVirtualSession({ seed, up: link, down: link, maxDatagramBytes, real });
  const spec = { ...streamOptions.spec, shape: [bytes.length] };
  const stream = session.client.openStream({ ...streamOptions, spec });
  session.runUntil(300);
  streamFrames(session, stream, { frames: 30 * seconds, intervalMs: 1_000 / 30, bytes });
  session.runUntil(300 + seconds * 1_000 + 500);
  return session;
}

t.test(
  "coarse timers, a transport that opens, and loss: the path is found in the first second",
  async (t) => {
    for (const [loss, burst] of [
      [0.05, 1],
      [0.05, 4],
    ] as const) {
      const lossy = { ...path, loss, burst };
      for (const seed of [1, 2, 3]) {
        // The first second weighs the more, the shorter the run is.
        const seconds = 8;
        const bytes = new Uint8Array(100_352);
        const { figures } = streamForReal(lossy, bytes, { seed, seconds, maxDatagramBytes: 1_290 }).client;
        const goodput = (figures.onTime * bytes.length * 8) / seconds;
        const name = `seed ${seed}, ${loss * 100} % in bursts of ${burst}: ${(goodput / 1e6).toFixed(2)} Mbit/s`;
        t.ok(figures.onTime >= 0.98 * figures.admitted, `${name}, ${figures.onTime} of ${figures.admitted}`);
        t.ok(goodput >= 0.85 * 20_000_000, name);
        // A datagram costs 40 bytes on the link beside its own.
        const shown = (figures.bandwidthBitsPerSecond ?? 0) / (20_000_000 * (1_290 / 1_330));
        t.ok(shown > 0.97 && shown < 1.04, `${name}: ${shown.toFixed(3)} of what the link carries`);
      }
    }
  },
);

t.test("threads without a core now and then: most of what the link carries still comes, whole", async (t) => {
  for (const seed of [1, 2]) {
    const lossy = { ...path, loss: 0.02 };
    const busy = { runMs: 10, offMs: 5 };
    const cell = { seed, seconds: 8, maxDatagramBytes: 1_362, busy };
    const session = streamForReal(lossy, new Uint8Array(100_352), cell);
    const { offered, admitted, onTime } = session.client.figures;
    const received = session.clientEvents.flatMap((event) =>
      event.type === "delivered" && event.onTime
        ? [1 - event.result.concealedElements / event.result.elements]
        : [],
    );
    const whole = received.reduce((sum, share) => sum + share, 0) / received.length;
    const name = `seed ${seed}: ${onTime} of ${offered}, ${admitted} admitted, ${whole.toFixed(3)} of each`;
    t.comment(name);
    t.ok(onTime > 0.68 * offered, name);
    t.ok(whole > 0.97, name);
    t.equal(session.upLink.counters().droppedQueue, 0, name);
  }
});

t.test(
  "a machine that loses most of its speed again and again costs little more than those moments",
  async (t) => {
    // The link carries 78 % of these frames; a fourteenth of the time is slow, and as much was under way before it.
    const slow = { everyMs: 1_610, forMs: 120, speed: 0.15, workMs: 0.12 };
    const seconds = 8;
    const lossy = { ...path, loss: 0.02 };
    let [onTimeSum, offeredSum] = [0, 0];
    for (const seed of [1, 2, 3]) {
      const cell = { seed, seconds, maxDatagramBytes: 1_362, slow };
      const session = streamForReal(lossy, new Uint8Array(100_352), cell);
      const { offered, admitted, onTime } = session.client.figures;
      t.comment(`seed ${seed}: ${onTime} of ${offered}, ${admitted} admitted`);
      onTimeSum += onTime;
      offeredSum += offered;
      t.equal(session.upLink.counters().droppedQueue, 0);
    }
    t.ok(onTimeSum > 0.715 * offeredSum, `${onTimeSum} of ${offeredSum}`);
  },
);

t.test("pings that a busy start has held up cost no frame", async (t) => {
  const session = createVirtualSession({ seed: 4, up: { ...path, delayMs: 320 }, down: path });
  const stream = session.client.openStream(streamOptions);
  // Two pongs of four have come the long way by then.
  session.runUntil(430);
  session.upLink.set({ delayMs: 20 }, 430);
  session.runUntil(700);
  streamFrames(session, stream, { frames: 60, intervalMs: 1_000 / 30, bytes: new Uint8Array(5_120) });
  session.runUntil(3_500);
  const { offered, onTime } = session.client.figures;
  t.equal(offered, 60);
  t.ok(onTime >= 58, `${onTime} of 60 in time`);
  t.ok(
    session.clientEvents.every((event) => event.type !== "delivered" || event.result.concealedElements === 0),
    "and whole",
  );
});

t.test("links slower than the stream carry what they can, in time", async (t) => {
  for (const rateBitsPerSecond of [1_000_000, 2_000_000]) {
    const slow = { ...path, rateBitsPerSecond };
    const session = createVirtualSession({ seed: 5, up: slow, down: slow });
    const stream = session.client.openStream(streamOptions);
    session.runUntil(300);
    streamFrames(session, stream, { frames: 600, intervalMs: 1_000 / 30, bytes: new Uint8Array(5_120) });
    session.runUntil(21_000);
    const { figures } = session.client;
    t.ok(figures.onTime >= 0.99 * figures.admitted, `on time ${figures.onTime} of ${figures.admitted}`);
    const goodput = (figures.onTime * 5_120 * 8) / 20;
    t.ok(goodput > 0.75 * Math.min(rateBitsPerSecond, 1_228_800), `goodput ${goodput}`);
  }
});

t.test(
  "two sessions share a path within 60:40, and a small one beside a large one keeps all of its frames",
  async (t) => {
    const cases = [
      { sizes: [100_352, 100_352], startsMs: [0, 0] },
      { sizes: [100_352, 100_352], startsMs: [0, 5_500] },
      { sizes: [100_352, 100_352], startsMs: [0, 8_000] },
      { sizes: [50_000, 50_000], startsMs: [0, 1_000] },
      { sizes: [100_352, 5_120], startsMs: [0, 0] },
    ];
    const seconds = 10;
    for (const { sizes, startsMs } of cases) {
      const network = createVirtualNetwork(6, path, path);
      const clients = sizes.map((size, i) => {
        network.runUntil(network.clock.now() + startsMs[i]! + 100);
        const session = createVirtualSession({ seed: 6, network });
        const spec = { ...streamOptions.spec, shape: [size] };
        const stream = session.client.openStream({ ...streamOptions, spec });
        session.pump();
        network.runUntil(network.clock.now() + 207);
        // No two cameras keep step: frames that always meet in the same order would not share evenly.
        const intervalMs = (1_000 / 30) * (1 + 0.01 * i);
        // Until behind the end of what is measured: who has stopped leaves the path to the other.
        streamFrames(session, stream, { frames: 800, intervalMs, bytes: new Uint8Array(size) });
        return session.client;
      });
      const fromMs = network.clock.now() + 6_000;
      network.runUntil(fromMs);
      const before = clients.map(({ figures }) => figures);
      network.runUntil(fromMs + seconds * 1_000);
      const bytes = clients.map(({ figures }, i) => (figures.onTime - before[i]!.onTime) * sizes[i]!);
      const name = `${sizes} from ${startsMs}: ${bytes.map((sum) => ((sum * 8) / seconds / 1e6).toFixed(2))} Mbit/s`;
      t.comment(name);
      for (const [i, { figures }] of clients.entries()) {
        const admitted = figures.admitted - before[i]!.admitted;
        t.ok(figures.onTime - before[i]!.onTime >= 0.93 * admitted, `${name}: on time`);
      }
      const total = bytes[0]! + bytes[1]!;
      t.ok(total * 8 > 0.75 * seconds * 20e6, name);
      if (sizes[0] === sizes[1]) t.ok(bytes[0]! > 0.4 * total && bytes[0]! < 0.6 * total, name);
      else t.ok(bytes[1]! > 0.96 * 30 * seconds * sizes[1]!, name);
    }
  },
);

t.test("after two dark seconds nothing bursts out", async (t) => {
  for (const bytes of [5_120, 100_352]) {
    const session = createVirtualSession({ seed: 8, up: path, down: path });
    const spec = { ...streamOptions.spec, shape: [bytes] };
    const stream = session.client.openStream({ ...streamOptions, spec });
    session.runUntil(300);
    streamFrames(session, stream, { frames: 300, intervalMs: 1_000 / 30, bytes: new Uint8Array(bytes) });
    session.runUntil(4_000);
    session.upLink.set({ loss: 1 }, 4_000);
    const before = session.upLink.counters().offeredBytes;
    session.runUntil(6_000);
    const sent = session.upLink.counters().offeredBytes - before;
    t.ok(sent < 500_000, `${sent} bytes went into the dark`);
    session.upLink.set({ loss: 0 }, 6_000);
    let queueMs = 0;
    for (let nowMs = 6_000; nowMs < 8_000; nowMs += 5) {
      session.runUntil(nowMs);
      queueMs = Math.max(queueMs, session.upLink.queueDelayMs(nowMs));
    }
    t.ok(queueMs < 20, `${queueMs} ms of queue`);
    session.runUntil(11_000);
    const later = session.clientEvents.filter(
      (event) => event.type === "delivered" && event.frame.capturedMs > 6_000,
    );
    const first = later[0];
    t.ok(first?.type === "delivered" && first.frame.capturedMs < 6_200, "frames flow again");
    t.ok(later.every((event) => event.type === "delivered" && event.onTime));
  }
});
