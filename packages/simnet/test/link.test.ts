import {
  corruptPacket,
  createLink,
  createRandom,
  type Link,
  type LinkParameters,
  type LinkVerdict,
} from "@sluice/simnet";
import t from "tap";

const SEED = 42;
const link = (parameters: LinkParameters, seed: number = SEED): Link =>
  createLink(parameters, createRandom(seed));
const arrival = (verdict: LinkVerdict): number => ("dropped" in verdict ? Number.NaN : verdict.deliverAtMs);
const offerMany = (l: Link, count: number, gapMs: number, bytes = 1200): LinkVerdict[] =>
  Array.from({ length: count }, (_, i) => l.offer(bytes, i * gapMs));

t.test("a perfect link delivers at once, a delay adds to it", async (t) => {
  t.same(link({}).offer(1200, 5), { deliverAtMs: 5 });
  t.same(link({ delayMs: 20 }).offer(1200, 5), { deliverAtMs: 25 });
});

t.test("the bottleneck sends one packet after another", async (t) => {
  const l = link({ rateBitsPerSecond: 8_000_000, delayMs: 10 });
  t.same(
    [0, 0, 0].map((now) => arrival(l.offer(1000, now))),
    [11, 12, 13],
  );
  t.equal(l.queueDelayMs(0), 3);
  t.equal(arrival(l.offer(1000, 50)), 61, "idle in between");
});

t.test("a saturated link delivers its rate", async (t) => {
  const l = link({ rateBitsPerSecond: 20e6, queueMs: 50 });
  const verdicts = offerMany(l, 50_000, 0.1); // 96 Mbit/s offered over 5 s
  const arrivals = verdicts.map(arrival).filter((x) => !Number.isNaN(x));
  const bitsPerSecond = ((arrivals.length - 1) * 1200 * 8) / ((arrivals.at(-1)! - arrivals[0]!) / 1000);
  t.ok(Math.abs(bitsPerSecond / 20e6 - 1) < 1e-6, `${bitsPerSecond} bit/s`);
  t.ok(l.counters().droppedQueue > 30_000);
});

t.test("queueMs bounds how long a packet waits", async (t) => {
  const l = link({ rateBitsPerSecond: 10e6, queueMs: 30 });
  const serviceMs = (1200 * 8) / 10e3;
  let longestMs = 0;
  offerMany(l, 2000, 0.2).forEach((v, i) => {
    if (!("dropped" in v)) longestMs = Math.max(longestMs, v.deliverAtMs - i * 0.2 - serviceMs);
  });
  t.ok(longestMs <= 30 + 1e-9 && longestMs > 29, `longest wait ${longestMs} ms`);
});

t.test("queueBytes bounds what waits, and an idle bottleneck takes any packet", async (t) => {
  const l = link({ rateBitsPerSecond: 8_000_000, queueBytes: 2500 });
  const verdicts = [3000, 1000, 1000].map((bytes) => l.offer(bytes, 0));
  t.equal(arrival(verdicts[0]!), 3);
  t.same(verdicts[1], { dropped: "queue" }, "3,000 bytes are still to be sent");
  const l2 = link({ rateBitsPerSecond: 8_000_000, queueBytes: 2500 });
  t.same(
    [1000, 1000, 1000].map((bytes) => l2.offer(bytes, 0)),
    [{ deliverAtMs: 1 }, { deliverAtMs: 2 }, { dropped: "queue" }],
  );
  t.same(l2.offer(1000, 1), { deliverAtMs: 3 }, "one packet's time later there is room again");
});

t.test("a rate without a bound gets one of 100 ms; a queue of 0 takes packets only when idle", async (t) => {
  const l = link({ rateBitsPerSecond: 1e6 });
  const waits = offerMany(l, 200, 0).map(arrival);
  const last = Math.max(...waits.filter((x) => !Number.isNaN(x)));
  t.ok(last > 100 && last < 120, `last arrival ${last} ms`);
  const none = link({ rateBitsPerSecond: 1e6, queueMs: 0 });
  t.same(
    [none.offer(125, 0), none.offer(125, 0.5), none.offer(125, 1)],
    [{ deliverAtMs: 1 }, { dropped: "queue" }, { deliverAtMs: 2 }],
  );
});

t.test("packets above the MTU are dropped and cost nothing", async (t) => {
  const l = link({ mtuBytes: 1280, rateBitsPerSecond: 1e6 });
  t.same(l.offer(1281, 0), { dropped: "mtu" });
  t.same(l.offer(1250, 0), { deliverAtMs: 10 });
});

const runs = (verdicts: readonly LinkVerdict[]): number[] => {
  const lengths: number[] = [];
  let current = 0;
  for (const v of verdicts) {
    if ("dropped" in v) current++;
    else if (current > 0) {
      lengths.push(current);
      current = 0;
    }
  }
  return lengths;
};
const mean = (numbers: readonly number[]): number => numbers.reduce((sum, x) => sum + x, 0) / numbers.length;

for (const { loss, burst, expectedRun } of [
  { loss: 0.03, burst: 1, expectedRun: 1 / 0.97 },
  { loss: 0.2, burst: 1, expectedRun: 1.25 },
  { loss: 0.05, burst: 4, expectedRun: 4 },
  { loss: 0.2, burst: 8, expectedRun: 8 },
  { loss: 0.6, burst: 2, expectedRun: 2 },
]) {
  t.test(`loses ${loss} in runs of ${burst}`, async (t) => {
    for (const seed of [1, 2, 3]) {
      const l = link({ loss, burst }, seed);
      const count = 100_000;
      const verdicts = offerMany(l, count, 0.1);
      const rate = l.counters().droppedLoss / count;
      // Runs make losses correlated: the variance of the mean grows with their length.
      const tolerance = 5 * Math.sqrt((loss * (1 - loss) * (2 * burst)) / count);
      t.ok(Math.abs(rate - loss) < tolerance, `seed ${seed}: lost ${rate}, tolerance ${tolerance}`);
      const lengths = runs(verdicts);
      const runTolerance = 5 * Math.sqrt((expectedRun * Math.max(0.1, expectedRun - 1)) / lengths.length);
      const meanRun = mean(lengths);
      t.ok(Math.abs(meanRun - expectedRun) < runTolerance, `seed ${seed}: mean run ${meanRun}`);
    }
  });
}

t.test("loss 0 and 1 are exact, with and without runs", async (t) => {
  for (const burst of [1, 5]) {
    t.ok(offerMany(link({ loss: 0, burst }), 1000, 1).every((v) => !("dropped" in v)));
    t.ok(offerMany(link({ loss: 1, burst }), 1000, 1).every((v) => "dropped" in v && v.dropped === "loss"));
  }
});

t.test("the average loss holds from the first packet on", async (t) => {
  let lost = 0;
  for (let seed = 0; seed < 4000; seed++)
    if ("dropped" in link({ loss: 0.2, burst: 10 }, seed).offer(1200, 0)) lost++;
  t.ok(Math.abs(lost / 4000 - 0.2) < 0.03, `${lost} of 4,000 first packets lost`);
});

t.test("the same seed does exactly the same, another one does not", async (t) => {
  const parameters = {
    rateBitsPerSecond: 9e6,
    delayMs: 20,
    jitterMs: 8,
    loss: 0.1,
    burst: 3,
    reorder: 0.05,
    duplicate: 0.02,
  };
  const run = (seed: number) => JSON.stringify(offerMany(link(parameters, seed), 5000, 1));
  t.equal(run(1), run(1));
  t.not(run(1), run(2));
});

t.test("which packets are lost does not depend on rate, size, delay or jitter", async (t) => {
  const lostIndexes = (parameters: LinkParameters, bytes: number, gapMs: number) =>
    offerMany(link({ loss: 0.1, burst: 2, ...parameters }), 3000, gapMs, bytes).flatMap((v, i) =>
      "dropped" in v ? [i] : [],
    );
  const reference = lostIndexes({}, 1200, 1);
  t.ok(reference.length > 200);
  t.same(
    lostIndexes({ rateBitsPerSecond: 50e6, delayMs: 30, jitterMs: 5, reorder: 0.2, duplicate: 0.1 }, 600, 3),
    reference,
  );
});

t.test("jitter stays in its range, uses it, and keeps the order", async (t) => {
  const verdicts = offerMany(link({ delayMs: 10, jitterMs: 15 }), 20_000, 0.3).map(arrival);
  const extra = verdicts.map((at, i) => at - i * 0.3 - 10);
  t.ok(Math.min(...extra) >= -1e-6 && Math.max(...extra) <= 15 + 1e-6);
  t.ok(Math.min(...extra) < 2 && Math.max(...extra) > 13, "both ends are approached");
  t.ok(Math.abs(mean(extra) - 7.5) < 1, `seed ${SEED}: mean ${mean(extra)} ms`);
  t.ok(verdicts.every((at, i) => i === 0 || at >= verdicts[i - 1]!));
});

t.test("jitter varies from packet to packet when they are far apart", async (t) => {
  const extra = offerMany(link({ jitterMs: 10 }), 500, 100).map((v, i) => arrival(v) - i * 100);
  t.ok(new Set(extra.map((x) => x.toFixed(3))).size > 450);
});

t.test("reordering holds some packets back so that later ones overtake them", async (t) => {
  const l = link({ delayMs: 10, reorder: 0.1, reorderMs: 20 });
  const at = offerMany(l, 20_000, 1).map(arrival);
  const share = l.counters().reordered / 20_000;
  t.ok(Math.abs(share - 0.1) < 0.01, `seed ${SEED}: ${share} held back`);
  t.ok(
    at.every((x, i) => x > i + 10 - 1e-9 && x <= i + 30),
    "at most reorderMs later",
  );
  const overtaken = at.filter((x, i) => i + 1 < at.length && at[i + 1]! < x).length;
  t.ok(overtaken > 1000, `${overtaken} overtaken`);
  t.equal(
    at.filter((x, i) => Math.abs(x - i - 10) < 1e-9).length,
    20_000 - l.counters().reordered,
    "the others are not delayed",
  );
});

t.test("duplicates arrive twice and are counted apart", async (t) => {
  const l = link({ duplicate: 0.25, delayMs: 3 });
  const twice = offerMany(l, 4000, 1).filter((v) => !("dropped" in v) && v.duplicateAtMs === v.deliverAtMs);
  t.equal(twice.length, l.counters().duplicated);
  t.ok(Math.abs(twice.length / 4000 - 0.25) < 0.035, `seed ${SEED}: ${twice.length} of 4,000`);
  t.equal(l.counters().delivered, 4000);
});

t.test("corrupted packets are delivered, counted, and the same ones with the same seed", async (t) => {
  const offer = () => {
    const l = link({ corrupt: 0.25, duplicate: 0.1 });
    return { verdicts: offerMany(l, 4000, 1), counters: l.counters() };
  };
  const { verdicts, counters } = offer();
  const corruptions = verdicts.flatMap((v) =>
    "dropped" in v || v.corruption === undefined ? [] : [v.corruption],
  );
  t.equal(corruptions.length, counters.corrupted);
  t.equal(counters.delivered, 4000);
  t.ok(Math.abs(corruptions.length / 4000 - 0.25) < 0.035, `seed ${SEED}: ${corruptions.length} of 4,000`);
  t.ok(corruptions.every((x) => x >= 0 && x < 1));
  t.same(offer().verdicts, verdicts);
});

t.test("a corrupted packet has one to four bits changed, which follow from its corruption", async (t) => {
  for (let i = 0; i < 500; i++) {
    const [packet, again] = [new Uint8Array(1 + (i % 40)), new Uint8Array(1 + (i % 40))];
    corruptPacket(packet, i / 500);
    corruptPacket(again, i / 500);
    const bits = packet.reduce((sum, byte) => sum + byte.toString(2).replaceAll("0", "").length, 0);
    if (bits < 1 || bits > 4) t.fail(`${bits} bits of ${packet.length} B`);
    t.strictSame(again, packet);
  }
  const empty = new Uint8Array(0);
  corruptPacket(empty, 0.5);
  t.equal(empty.length, 0);
});

t.test("counters add up", async (t) => {
  const l = link({ rateBitsPerSecond: 2e6, queueMs: 20, loss: 0.1, burst: 2, mtuBytes: 1400 });
  const random = createRandom(9);
  let bytes = 0;
  for (let i = 0; i < 3000; i++) {
    const size = 1000 + Math.floor(random.next() * 500);
    bytes += size;
    l.offer(size, i * 4);
  }
  const c = l.counters();
  t.equal(c.offered, 3000);
  t.equal(c.offeredBytes, bytes);
  t.ok(c.droppedLoss > 0 && c.droppedQueue > 0 && c.droppedMtu > 0 && c.delivered > 0);
  t.equal(c.delivered + c.droppedLoss + c.droppedQueue + c.droppedMtu, 3000);
});

t.test("parameters change live: bytes that wait go on at the new rate, order is kept", async (t) => {
  const l = link({ rateBitsPerSecond: 8_000_000, delayMs: 10 });
  for (let i = 0; i < 10; i++) l.offer(1000, 0);
  t.equal(l.queueDelayMs(2), 8);
  l.set({ rateBitsPerSecond: 16_000_000 }, 2);
  t.equal(l.queueDelayMs(2), 4, "8,000 bytes at twice the rate");
  t.equal(l.parameters().delayMs, 10, "what was not named stays");
  t.equal(arrival(l.offer(2000, 2)), 20, "not before the packet that was promised for 20 ms");
  l.set({ rateBitsPerSecond: undefined, delayMs: 0 }, 30);
  t.same(l.offer(100_000, 30), { deliverAtMs: 30 }, "unlimited");
  l.set({ loss: 1 }, 31);
  t.same(l.offer(1, 31), { dropped: "loss" });
});

t.test("a rate that falls lets those wait longer who wait already", async (t) => {
  const l = link({ rateBitsPerSecond: 8_000_000, queueMs: 50 });
  for (let i = 0; i < 20; i++) l.offer(1000, 0);
  l.set({ rateBitsPerSecond: 800_000 }, 0);
  t.equal(l.queueDelayMs(0), 200);
  t.same(l.offer(1000, 0), { dropped: "queue" });
});

t.test("a bad change is refused by name and changes nothing", async (t) => {
  const l = link({ delayMs: 10 });
  t.throws(() => l.set({ delayMs: 5, loss: 2 }, 0), {
    name: "RangeError",
    message: /^loss must be from 0 to 1, got 2$/,
  });
  t.same(l.parameters(), { delayMs: 10 });
  t.same(l.offer(1, 0), { deliverAtMs: 10 });
});

t.test("time that goes back is taken as the last time", async (t) => {
  const l = link({});
  l.offer(1, 100);
  t.same(l.offer(1, 50), { deliverAtMs: 100 });
});

for (const [field, parameters] of [
  ["rateBitsPerSecond", { rateBitsPerSecond: 0 }],
  ["rateBitsPerSecond", { rateBitsPerSecond: Number.NaN }],
  ["delayMs", { delayMs: -1 }],
  ["jitterMs", { jitterMs: Number.NaN }],
  ["queueMs", { queueMs: -1 }],
  ["queueBytes", { queueBytes: -1 }],
  ["loss", { loss: 1.01 }],
  ["burst", { burst: 0.5 }],
  ["burst", { loss: 0.9, burst: 2 }],
  ["mtuBytes", { mtuBytes: 0 }],
  ["reorder", { reorder: -0.1 }],
  ["reorderMs", { reorderMs: -1 }],
  ["duplicate", { duplicate: 2 }],
  ["corrupt", { corrupt: -0.1 }],
] as const satisfies readonly (readonly [keyof LinkParameters, LinkParameters])[]) {
  t.test(`refuses ${JSON.stringify(parameters)}`, async (t) => {
    t.throws(() => link(parameters), { name: "RangeError", message: new RegExp(`^${field} must be`) });
  });
}

t.test("refuses packets without a size or a time", async (t) => {
  t.throws(() => link({}).offer(-1, 0), { name: "RangeError", message: /bytes/ });
  t.throws(() => link({}).offer(1, Number.NaN), { name: "RangeError", message: /nowMs/ });
  t.throws(() => link({}).set({}, Number.NaN), { name: "RangeError", message: /nowMs/ });
});
