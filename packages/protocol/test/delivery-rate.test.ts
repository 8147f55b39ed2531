import t from "tap";
import { createDeliveryRate } from "#src/delivery-rate.js";
import { createVirtualSession, sliceBytes, streamOptions } from "./virtual-session.js";

t.test("what arrived counts over the time that it took to leave or to arrive, the longer one", async (t) => {
  const delivery = createDeliveryRate();
  const add = (deliveredBytes: number, sentMs: number, reportedMs: number) =>
    delivery.add({ deliveredBytes, sentMs, reportedMs }, reportedMs);
  t.equal(delivery.bitsPerSecond(0), 0);
  add(1_000, 0, 20);
  add(90_000, 50, 70);
  t.equal(delivery.bitsPerSecond(70), 0, "too soon to tell");
  add(101_000, 100, 119);
  t.equal(delivery.bitsPerSecond(119), 8_000_000, "it took 100 ms to leave");
  add(202_000, 200, 320);
  t.equal(delivery.bitsPerSecond(320), 8_000_000, "201 ms to arrive: the faster time before counts");
  add(302_000, 400, 340);
  t.equal(delivery.bitsPerSecond(340), 8_000_000, "what arrives at once behind a stall is no faster");
  add(302_000, 900, 900);
  t.equal(delivery.bitsPerSecond(900), 8_000_000, "nor is nothing");
  t.equal(delivery.bitsPerSecond(9_000), 0, "it is forgotten");
});

/** Sends one frame at a time for a second and returns the median latency of the second half of it. */
function oneAtATime(bytes: number, link: { delayMs: number; rateBitsPerSecond?: number }, mtu: number) {
  const options = { seed: 1, up: link, down: link, maxDatagramBytes: mtu, serviceMs: 0.1 };
  const session = createVirtualSession(options);
  const { client, clock, clientEvents } = session;
  const spec = { ...streamOptions.spec, shape: [bytes] };
  const stream = client.openStream({ ...streamOptions, spec });
  session.runUntil(100);
  const latencies: number[] = [];
  let seen = clientEvents.length;
  let isUnderWay = false;
  for (let atMs = 100; atMs < 1_100; atMs += 0.1) {
    session.runUntil(atMs);
    for (; seen < clientEvents.length; seen++) {
      const event = clientEvents[seen]!;
      if (event.type === "expired") isUnderWay = false;
      if (event.type !== "delivered") continue;
      isUnderWay = false;
      if (event.frame.capturedMs > 600) latencies.push(event.latencyMs);
    }
    const nowMs = clock.now();
    const decision = isUnderWay ? undefined : client.offer(stream, nowMs, nowMs);
    if (!decision?.admitted) continue;
    isUnderWay = true;
    const cut = sliceBytes(new Uint8Array(bytes), client.maxPayloadBytes(stream));
    client.submit(stream, decision.frame, cut, undefined, nowMs);
  }
  return latencies.sort((a, b) => a - b)[latencies.length >> 1]!;
}

t.test(
  "frames of one or two datagrams, one at a time, are held back on no path that carries them",
  async (t) => {
    // A round trip is 0.4 ms, and 0.1 go to the server: at 20 Mbit/s these would take 2 to 7 ms.
    for (const bytes of [5_120, 8_192, 16_384]) {
      const latencyMs = oneAtATime(bytes, { delayMs: 0.2 }, 15_000);
      t.ok(latencyMs < 0.7, `${bytes} B: ${latencyMs} ms`);
    }
    // 0.1 ms on the wire, and two datagrams are no train.
    const latencyMs = oneAtATime(2_048, { delayMs: 0.2, rateBitsPerSecond: 200e6 }, 1_200);
    t.ok(latencyMs < 0.7, `2,048 B over 200 Mbit/s: ${latencyMs} ms`);
  },
);

t.test("a path that carries less is not filled by them", async (t) => {
  // 8,192 B with their headers are 3.4 ms on the wire.
  const latencyMs = oneAtATime(8_192, { delayMs: 0.2, rateBitsPerSecond: 20e6 }, 15_000);
  t.ok(latencyMs < 4.2, `${latencyMs} ms`);
});

t.test("of another path nothing is known", async (t) => {
  const delivery = createDeliveryRate();
  for (let i = 0; i <= 10; i++)
    delivery.add({ deliveredBytes: i * 100_000, sentMs: i * 100, reportedMs: i * 100 }, i * 100);
  t.equal(delivery.bitsPerSecond(1_000), 8e6);
  delivery.forget();
  t.equal(delivery.bitsPerSecond(1_000), 0);
  for (let i = 0; i <= 5; i++)
    delivery.add(
      { deliveredBytes: 1e6 + i * 10_000, sentMs: 1_000 + i * 100, reportedMs: 1_000 + i * 100 },
      1_000 + i * 100,
    );
  t.equal(delivery.bitsPerSecond(1_500), 0.8e6);
});
