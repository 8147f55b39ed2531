import t from "tap";
import { PathModel, type PathSample } from "#src/quiche/path-model.js";

const PACKET_BYTES = 1350;
const QUIET: PathSample = {
  rttMs: 40,
  deliveryBytesPerMs: 0,
  packetsSent: 0,
  packetsLost: 0,
  isHeldBack: false,
  lastReceivedMs: 0,
};

/** Runs a sender that always has more to send over a bottleneck of `bytesPerMs`, and returns the last window. */
function saturate(model: PathModel, bytesPerMs: number, fromMs: number, toMs: number): number {
  let queueBytes = 0;
  let sent = 0;
  for (let nowMs = fromMs; nowMs < toMs; nowMs += 5) {
    const rttMs = 40 + queueBytes / bytesPerMs;
    const rate = model.windowBytes / rttMs;
    queueBytes = Math.max(0, queueBytes + (rate - bytesPerMs) * 5);
    sent += (rate * 5) / PACKET_BYTES;
    const deliveryBytesPerMs = queueBytes > 0 ? bytesPerMs : Math.min(rate, bytesPerMs);
    model.update(nowMs, {
      ...QUIET,
      rttMs: Math.floor(rttMs),
      deliveryBytesPerMs,
      packetsSent: sent,
      isHeldBack: true,
      lastReceivedMs: nowMs,
    });
  }
  return model.windowBytes;
}

t.test("begins with 32 packets", async (t) => {
  const model = new PathModel(PACKET_BYTES);
  t.equal(model.windowBytes, 32 * PACKET_BYTES);
  model.update(5, { ...QUIET, deliveryBytesPerMs: 1, lastReceivedMs: 5 });
  t.equal(model.windowBytes, 32 * PACKET_BYTES);
});

t.test("finds a bottleneck and keeps about one bandwidth-delay product queued", async (t) => {
  const model = new PathModel(PACKET_BYTES);
  const bdpBytes = 2500 * 40;
  const windowBytes = saturate(model, 2500, 0, 3000);
  t.ok(windowBytes > 1.9 * bdpBytes && windowBytes < 2.4 * bdpBytes, `window ${windowBytes}`);
});

t.test("follows a path that becomes slower", async (t) => {
  const model = new PathModel(PACKET_BYTES);
  saturate(model, 2500, 0, 3000);
  const windowBytes = saturate(model, 500, 3000, 9000);
  t.ok(windowBytes < 2.4 * 500 * 40 + 6 * PACKET_BYTES, `window ${windowBytes}`);
});

t.test("random loss takes nothing away, a collapse does", async (t) => {
  const model = new PathModel(PACKET_BYTES);
  const before = saturate(model, 2500, 0, 3000);
  const sample = { ...QUIET, deliveryBytesPerMs: 400, packetsSent: 10_000, lastReceivedMs: 3100 };
  model.update(3100, sample);
  model.update(3200, { ...sample, packetsSent: 10_100, packetsLost: 5 });
  t.equal(model.windowBytes, before);
  model.update(3300, { ...sample, packetsSent: 10_150, packetsLost: 55 });
  t.ok(model.windowBytes < before / 3, `window ${model.windowBytes}`);
});

t.test("a burst does not lower the estimate, and can raise it", async (t) => {
  const model = new PathModel(PACKET_BYTES);
  model.update(0, { ...QUIET, deliveryBytesPerMs: 2000 });
  const before = model.windowBytes;
  for (let nowMs = 100; nowMs < 60_000; nowMs += 100) {
    model.update(nowMs, { ...QUIET, deliveryBytesPerMs: 200, isHeldBack: true, lastReceivedMs: nowMs });
    model.update(nowMs + 20, { ...QUIET, deliveryBytesPerMs: 200, lastReceivedMs: nowMs });
  }
  t.equal(model.windowBytes, before);
  model.update(60_000, { ...QUIET, deliveryBytesPerMs: 4000, lastReceivedMs: 60_000 });
  t.ok(model.windowBytes > 1.8 * before);
});

t.test("the end of a pause is paced by the least round trip, and what is busy by its own", async (t) => {
  const model = new PathModel(PACKET_BYTES);
  // As quiche reads it where a ping leaves every 50 ms: the path has 40.
  for (let nowMs = 0; nowMs <= 400; nowMs += 50) {
    model.update(nowMs, { ...QUIET, rttMs: 40 + nowMs / 2, lastReceivedMs: nowMs });
  }
  model.update(450, { ...QUIET, rttMs: 240, isHeldBack: true, lastReceivedMs: 450 });
  t.equal(model.pacedRttMs, 40);
  for (let nowMs = 455; nowMs <= 600; nowMs += 5) {
    model.update(nowMs, { ...QUIET, rttMs: 90, isHeldBack: true, lastReceivedMs: nowMs });
  }
  t.equal(model.pacedRttMs, 90, "a queue of two round trips is one");
});

t.test("silence leaves room for probes only, and the first answer ends it", async (t) => {
  const model = new PathModel(PACKET_BYTES);
  const before = saturate(model, 2500, 0, 3000);
  const sample = { ...QUIET, packetsSent: 10_000, isHeldBack: true, lastReceivedMs: 3000 };
  model.update(3100, sample);
  t.equal(model.windowBytes, before);
  model.update(3200, sample);
  t.equal(model.windowBytes, 2 * PACKET_BYTES);
  model.update(3205, { ...sample, lastReceivedMs: 3205 });
  t.equal(model.windowBytes, before);
});

t.test("a round-trip time that grew drains the queue before it is believed", async (t) => {
  const model = new PathModel(PACKET_BYTES);
  saturate(model, 2500, 0, 3000);
  let least = Number.POSITIVE_INFINITY;
  for (let nowMs = 3000; nowMs < 20_000; nowMs += 5) {
    model.update(nowMs, {
      ...QUIET,
      rttMs: 90,
      deliveryBytesPerMs: 2500,
      packetsSent: nowMs,
      isHeldBack: true,
      lastReceivedMs: nowMs,
    });
    least = Math.min(least, model.windowBytes);
  }
  t.ok(least < 0.6 * 2500 * 45, `least ${least}`);
  t.ok(model.windowBytes > 1.9 * 2500 * 90, `window ${model.windowBytes}`);
});
