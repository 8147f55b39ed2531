import t from "tap";
import { createBandwidthEstimator } from "#src/bandwidth-estimator.js";
import { createQueueDelay } from "#src/queue-delay.js";
import { createRateController, type RateSample } from "#src/rate-controller.js";
import { createTrainFinder, keptBusy, leftTogether, type Train } from "#src/train-finder.js";
import { createWindowedMin } from "#src/windowed-min.js";
import { createIntegers } from "./integers.js";
import { createVirtualSession, streamFrames, streamOptions } from "./virtual-session.js";

t.test("the windowed minimum is that of a list, and holds no more than it needs", async (t) => {
  const seed = 5;
  t.comment(`seed ${seed}`);
  const integers = createIntegers(seed);
  const windowed = createWindowedMin(100);
  const all: { value: number; atMs: number }[] = [];
  let unlike = 0;
  for (let nowMs = 0; nowMs < 20_000; nowMs += integers.between(0, 30)) {
    const value = integers.between(0, 1_000);
    windowed.add(value, nowMs);
    all.push({ value, atMs: nowMs });
    const askedMs = nowMs;
    const expected = all.filter(({ atMs }) => atMs >= askedMs - 100).map((sample) => sample.value);
    if (windowed.get(askedMs) !== (expected.length > 0 ? Math.min(...expected) : undefined)) unlike++;
  }
  t.equal(unlike, 0);
  t.equal(windowed.get(1e6), undefined);
});

t.test("queues are told from clocks that differ", async (t) => {
  for (const offsetMs of [0, 1e9, -5_000]) {
    const queue = createQueueDelay();
    t.same([queue.standingMs(0), queue.expectedMs(0)], [0, 0]);
    for (let nowMs = 0; nowMs < 1_000; nowMs += 5) queue.add(nowMs, nowMs + 20 + offsetMs, nowMs);
    t.same([queue.standingMs(1_000), queue.expectedMs(1_000)], [0, 0]);
    for (let nowMs = 1_000; nowMs < 2_000; nowMs += 5) {
      queue.add(nowMs, nowMs + 20 + offsetMs + (nowMs % 100 < 50 ? 30 : 10), nowMs);
    }
    t.equal(queue.standingMs(2_000), 10, "the part that never drains");
    t.ok(queue.expectedMs(2_000) > 10 && queue.expectedMs(2_000) < 30);
    queue.addRoundTrip(40, 1_700);
    queue.addRoundTrip(45, 1_900);
    t.equal(queue.standingMs(1_950), 0, "a ping met no queue lately");
    t.equal(queue.standingMs(2_050), 5, "or a shorter one");
    t.equal(queue.expectedMs(2_600), 0, "and nothing is expected after a pause");
  }
});

const sample: RateSample = {
  ...{
    nowMs: 0,
    rttMs: 40,
    standingQueueMs: 0,
    standingWindowMs: 300,
    capacityBitsPerSecond: 20e6,
    lossShare: 0,
  },
  ...{ changes: 0, datagramsReported: 0, datagramsLost: 0 },
};

t.test("alone on a path the rate is what the bottleneck carries, and no more", async (t) => {
  const rate = createRateController();
  rate.update({ ...sample, capacityBitsPerSecond: undefined });
  t.equal(rate.bitsPerSecond, undefined);
  for (let nowMs = 0; nowMs < 10_000; nowMs += 10) rate.update({ ...sample, nowMs });
  t.equal(rate.bitsPerSecond, 0.98 * 20e6);
  rate.update({ ...sample, nowMs: 10_000, lossShare: 0.1 });
  t.equal(rate.bitsPerSecond, 0.98 * 20e6, "random loss changes nothing");
  rate.update({ ...sample, nowMs: 10_010, capacityBitsPerSecond: 2e6 });
  t.equal(rate.bitsPerSecond, 0.98 * 2e6, "a narrower path does at once");
});

t.test(
  "a queue that stays behind a pause lowers the rate once each settling time, to a floor; without it the rate comes back",
  async (t) => {
    const rate = createRateController();
    rate.update(sample);
    const full = rate.bitsPerSecond ?? 0;
    for (let nowMs = 6_000; nowMs < 6_780; nowMs += 10)
      rate.update({ ...sample, nowMs, standingQueueMs: 30 });
    t.equal(rate.bitsPerSecond, 0.85 * full);
    for (let nowMs = 6_800; nowMs < 20_000; nowMs += 10)
      rate.update({ ...sample, nowMs, standingQueueMs: 90 });
    t.equal(rate.bitsPerSecond, 0.05 * full, "never to a standstill");
    for (let nowMs = 20_000; nowMs < 30_000; nowMs += 10) rate.update({ ...sample, nowMs });
    t.ok((rate.bitsPerSecond ?? 0) > 0.95 * full, "in seconds");
    rate.handleSilence();
    t.ok((rate.bitsPerSecond ?? 0) < 0.5 * full);
  },
);

t.test(
  "a queue of who has nearly all of a path is its own, and drained by a pause; one that comes back or is shared lowers the rate",
  async (t) => {
    const rate = createRateController();
    rate.update(sample);
    const full = rate.bitsPerSecond ?? 0;
    t.equal(rate.takePauseMs(), 0);
    for (const nowMs of [600, 20_000]) {
      rate.update({ ...sample, nowMs, standingQueueMs: 15 });
      t.equal(rate.bitsPerSecond, full);
      t.same([rate.takePauseMs(), rate.takePauseMs()], [30, 0], "given out once");
    }
    rate.update({ ...sample, nowMs: 20_200, standingQueueMs: 25 });
    t.equal(rate.bitsPerSecond, full, "it takes a while to drain");
    rate.update({ ...sample, nowMs: 20_500, standingQueueMs: 25 });
    t.equal(rate.bitsPerSecond, 0.85 * full, "it came back");
    rate.update({ ...sample, nowMs: 21_000, standingQueueMs: 25 });
    t.equal(rate.bitsPerSecond, 0.75 * 0.85 * full, "with less than all of a path none is its own");
    t.equal(rate.takePauseMs(), 0);
    const policed = createRateController();
    policed.update({ ...sample, nowMs: 1_500, lossShare: 0.3 });
    t.ok(policed.bitsPerSecond! < full, "nor does a pause help against losses");
  },
);

t.test(
  "more than the path carries, from the first second on: the start takes no less of it than what follows",
  async (t) => {
    for (const seed of [1, 2, 3]) {
      // 24 Mbit/s onto 20: four fifths fit, with all headers less.
      const path = { rateBitsPerSecond: 20e6, delayMs: 20, queueMs: 100, loss: 0.02 };
      const session = createVirtualSession({ seed, up: path, down: path });
      const bytes = 100_352;
      const spec = { ...streamOptions.spec, shape: [bytes] };
      const stream = session.client.openStream({ ...streamOptions, spec, deadlineMs: 150 });
      session.runUntil(300);
      streamFrames(session, stream, { frames: 150, intervalMs: 1_000 / 30, bytes: new Uint8Array(bytes) });
      session.runUntil(5_800);
      const onTime = session.clientEvents.flatMap((event) =>
        event.type === "delivered" && event.onTime ? [event.frame.capturedMs - 300] : [],
      );
      const start = onTime.filter((capturedMs) => capturedMs < 2_999).length;
      t.ok(start >= 0.74 * 90, `seed ${seed}: ${start} of the first 90 in time`);
      const later = onTime.filter((capturedMs) => capturedMs > 999).length;
      t.ok(later >= 0.77 * 120, `seed ${seed}: ${later} of 120 behind the first second`);
      t.equal(session.upLink.counters().droppedQueue, 0);
    }
  },
);

t.test(
  "heavy loss lowers the rate, for something must be policing the path; what was lost before a decrease does not again",
  async (t) => {
    for (const isGoingOn of [true, false]) {
      const rate = createRateController();
      rate.update(sample);
      for (let nowMs = 1_000; nowMs < 2_000; nowMs += 10) {
        const datagramsReported = nowMs / 10;
        const datagramsLost = 0.3 * (isGoingOn ? datagramsReported : Math.min(105, datagramsReported));
        rate.update({ ...sample, nowMs, lossShare: 0.3, datagramsReported, datagramsLost });
      }
      const share = rate.bitsPerSecond! / (0.98 * 20e6);
      if (isGoingOn) t.ok(share < 0.5, `${share}`);
      else t.ok(share >= 0.75 && share < 0.85, `${share}: once`);
    }
  },
);

t.test("what a blackout has taken is answered when it is over, however few datagrams follow", async (t) => {
  const rate = createRateController();
  rate.update({ ...sample, datagramsReported: 100, datagramsLost: 1 });
  const full = rate.bitsPerSecond!;
  rate.handleSilence();
  let least = full;
  // Ten datagrams a second, after fifty were lost: by a weight of 1/128 each it takes 4 s until that is no heavy loss.
  for (let i = 0; i < 100; i++) {
    const lossShare = 0.34 * (1 - 1 / 128) ** i;
    const counts = { datagramsReported: 151 + i, datagramsLost: 51 };
    rate.update({ ...sample, nowMs: 5_000 + 100 * i, lossShare, ...counts });
    least = Math.min(least, rate.bitsPerSecond!);
  }
  t.ok(least >= full / 2, `${least / full}: by half and no more`);
  t.ok(rate.bitsPerSecond! > 0.9 * full, "and it is back");
});

t.test(
  "so it is where a pong comes before the report that tells it, and a round trip is shorter than reports are apart",
  async (t) => {
    const lowestAfter = (isTold: boolean) => {
      const rate = createRateController();
      const counts = { datagramsReported: 300, datagramsLost: 1 };
      rate.update({ ...sample, rttMs: 5, ...counts });
      const full = rate.bitsPerSecond!;
      if (isTold) {
        rate.handleSilence();
        rate.update({ ...sample, rttMs: 5, nowMs: 10, ...counts });
      }
      let least = full;
      for (let i = 0; i < 100; i++) {
        const after = { datagramsReported: 351 + i, datagramsLost: 51, lossShare: 0.34 * (1 - 1 / 128) ** i };
        rate.update({ ...sample, rttMs: 5, nowMs: 20 + 50 * i, ...after });
        least = Math.min(least, rate.bitsPerSecond!);
      }
      return least / full;
    };
    t.ok(lowestAfter(true) >= 0.5, `${lowestAfter(true)}: by half for the silence`);
    t.ok(lowestAfter(false) >= 0.75, `${lowestAfter(false)}: once for the losses`);
  },
);

t.test(
  "on another path the rate is all that it carries, and what still waits of before is paused for",
  async (t) => {
    const rate = createRateController();
    rate.update(sample);
    const lossy = { ...sample, lossShare: 0.6, datagramsReported: 1_000, datagramsLost: 600 };
    rate.update({ ...lossy, nowMs: 9_000, standingQueueMs: 90, capacityBitsPerSecond: 2e6, changes: 1 });
    t.equal(rate.bitsPerSecond, 0.98 * 2e6);
    t.equal(rate.takePauseMs(), 90);
    for (let nowMs = 9_010; nowMs < 9_900; nowMs += 10)
      rate.update({ ...lossy, nowMs, capacityBitsPerSecond: 2e6, changes: 1 });
    t.equal(rate.bitsPerSecond, 0.98 * 2e6, "its losses are not of this path");
    for (const nowMs of [9_910, 10_310])
      rate.update({ ...sample, nowMs, standingQueueMs: 40, capacityBitsPerSecond: 2e6, changes: 1 });
    const share = rate.bitsPerSecond! / 2e6;
    t.ok(share < 0.9, `others are there: ${share}`);
    rate.takePauseMs();
    rate.update({ ...sample, nowMs: 11_000, standingQueueMs: 5, changes: 2 });
    t.ok(
      Math.abs(rate.bitsPerSecond! / (share * 20e6) - 1) < 0.1,
      "a wider path is taken up at the same share",
    );
    t.equal(rate.takePauseMs(), 0);
  },
);

t.test(
  "a path that changes is known by its next frames, and none of it is taken for a change where only timers jitter",
  async (t) => {
    const link = (megabits: number) => ({ delayMs: 20, queueMs: 100, rateBitsPerSecond: megabits * 1e6 });
    const real = { timerMs: 1, openingBytes: 14_000, stallMs: 5 };
    for (const { from, to, bytes } of [
      { from: 20, to: 2, bytes: 10_000 },
      { from: 20, to: 2, bytes: 40_000 },
      { from: 20, to: 5, bytes: 20_000 },
      { from: 2, to: 20, bytes: 40_000 },
      { from: 5, to: 50, bytes: 20_000 },
    ]) {
      for (const jitterMs of [0, 3]) {
        const session = createVirtualSession({
          seed: 4,
          up: { ...link(from), jitterMs },
          down: link(from),
          real,
        });
        const spec = { ...streamOptions.spec, shape: [bytes] };
        const stream = session.client.openStream({ ...streamOptions, spec, deadlineMs: 300 });
        session.runUntil(300);
        streamFrames(session, stream, { frames: 200, intervalMs: 1_000 / 20, bytes: new Uint8Array(bytes) });
        const name = `${bytes} bytes, ${from} to ${to} Mbit/s, ${jitterMs} ms of jitter`;
        const megabits = () => (session.client.figures.bandwidthBitsPerSecond ?? 0) / 1e6;
        for (let nowMs = 1_000; nowMs <= 5_000; nowMs += 100) {
          session.runUntil(nowMs);
          if (!(megabits() > 0.75 * from && megabits() < 1.3 * from))
            t.fail(`${name}: ${megabits()} at ${nowMs}`);
        }
        session.upLink.set(link(to), 5_000);
        session.downLink.set(link(to), 5_000);
        session.runUntil(5_600);
        t.ok(megabits() > 0.75 * to && megabits() < 1.3 * to, `${name}: ${megabits().toFixed(1)}`);
        session.runUntil(9_000);
        t.ok(
          session.client.figures.rateBitsPerSecond! > 0.45 * to * 1e6,
          `${name}: ${session.client.figures.rateBitsPerSecond}`,
        );
      }
    }
  },
);

t.test("smaller frames show that the path has changed, too", async (t) => {
  const link = (megabits: number) => ({ delayMs: 20, queueMs: 100, rateBitsPerSecond: megabits * 1e6 });
  const real = { timerMs: 1, openingBytes: 14_000, stallMs: 5 };
  for (const [from, to] of [
    [20, 2],
    [2, 20],
  ] as const) {
    const session = createVirtualSession({ seed: 4, up: link(from), down: link(from), real });
    const [large, small] = [40_000, 5_000].map((bytes) =>
      session.client.openStream({
        ...{ ...streamOptions, deadlineMs: 300 },
        spec: { ...streamOptions.spec, shape: [bytes] },
      }),
    );
    session.runUntil(300);
    streamFrames(session, large!, { frames: 60, intervalMs: 50, bytes: new Uint8Array(40_000) });
    session.runUntil(3_700);
    session.upLink.set(link(to), 3_700);
    const megabits = () => (session.client.figures.bandwidthBitsPerSecond ?? 0) / 1e6;
    t.ok(megabits() > 0.75 * from && megabits() < 1.3 * from, `${megabits()} before`);
    streamFrames(session, small!, { frames: 60, intervalMs: 50, bytes: new Uint8Array(5_000) });
    session.runUntil(4_300);
    t.ok(megabits() > 0.6 * to && megabits() < 1.4 * to, `${megabits()} of ${to}`);
  }
});

t.test("short dips cost the frames that fall into them, and few behind them", async (t) => {
  const link = { delayMs: 20, queueMs: 100, rateBitsPerSecond: 20e6 };
  const real = { timerMs: 1, openingBytes: 14_000, stallMs: 5 };
  for (const seed of [1, 2, 3]) {
    const bytes = 60_000;
    const session = createVirtualSession({ seed, up: link, down: link, real });
    const spec = { ...streamOptions.spec, shape: [bytes] };
    const stream = session.client.openStream({ ...streamOptions, spec });
    session.runUntil(300);
    for (const atMs of [3_300, 6_300, 9_300]) {
      session.clock.at(atMs, () => session.upLink.set({ rateBitsPerSecond: 4e6 }, atMs));
      session.clock.at(atMs + 500, () => session.upLink.set({ rateBitsPerSecond: 20e6 }, atMs + 500));
    }
    streamFrames(session, stream, { frames: 360, intervalMs: 1_000 / 30, bytes: new Uint8Array(bytes) });
    session.runUntil(12_800);
    const whole = session.clientEvents.filter(
      (event) => event.type === "delivered" && event.onTime && event.result.concealedElements < 0.07 * bytes,
    ).length;
    // Fifteen frames of each dip do not fit, and the path needs frames to show that it is over.
    t.ok(whole > 360 - 3 * 30, `seed ${seed}: ${whole} of 360 in time and whole`);
  }
});

t.test("sessions that see the same queue come to equal shares", async (t) => {
  for (const start of [
    [1, 0.1],
    [0.9, 0.4, 0.1],
    [1, 1, 1, 0.2],
  ]) {
    const capacity = 20e6;
    const rates = start.map(() => createRateController());
    rates.forEach((rate, i) => {
      rate.update(sample);
      // Down to where it shall start.
      let nowMs = 0;
      while ((rate.bitsPerSecond ?? 0) > start[i]! * capacity) {
        nowMs += 400;
        rate.update({ ...sample, nowMs: -1e6 + nowMs, standingQueueMs: 50 });
      }
    });
    let queueBits = 0;
    const sums = start.map(() => 0);
    for (let nowMs = 0; nowMs < 60_000; nowMs += 20) {
      const offered = rates.reduce((sum, rate) => sum + (rate.bitsPerSecond ?? 0), 0);
      queueBits = Math.min(0.1 * capacity, Math.max(0, queueBits + (offered - capacity) * 0.02));
      const standingQueueMs = (queueBits * 1_000) / capacity;
      for (const [i, rate] of rates.entries()) {
        rate.update({ ...sample, nowMs, standingQueueMs });
        if (nowMs > 20_000) sums[i]! += rate.bitsPerSecond ?? 0;
      }
    }
    const ratio = Math.max(...sums) / Math.min(...sums);
    t.ok(ratio < 1.5, `${start}: the largest share is ${ratio.toFixed(2)} times the smallest`);
    const used = sums.reduce((sum, bits) => sum + bits, 0) / 2_000 / capacity;
    t.ok(used > 0.75 && used < 1.1, `${used.toFixed(2)} of the path is used`);
  }
});

t.test("trains are what left together and came in order, over several reports", async (t) => {
  const trains: (readonly [number, number])[] = [];
  const finder = createTrainFinder(leftTogether, ({ bytes, spreadMs }) => trains.push([bytes, spreadMs]));
  const add = (sequence: number, sentMs: number, arrivedMs: number) =>
    finder.add({ sequence, bytes: 100, sentMs, arrivedMs, queuedMs: 0 });
  for (let i = 0; i < 5; i++) add(i, 0.1 * i, 20 + 2 * i);
  t.same(trains, [], "more may come");
  add(5, 10, 40);
  t.same(trains, [[400, 8]]);
  add(6, 10, 41);
  finder.finish();
  t.same(trains.splice(1), [[100, 1]], "two are a pair");
  for (const sequence of [7, 8, 10, 11, 12]) add(sequence, 20, 50 + sequence);
  finder.finish();
  t.same(
    trains.slice(1),
    [
      [100, 1],
      [200, 2],
    ],
    "a gap ends a train",
  );
  for (const [sequence, at] of [
    [13, 90],
    [14, 91],
    [15, 89],
    [16, 92],
  ] as const) {
    add(sequence, 30, at);
  }
  finder.finish();
  t.equal(trains.length, 5, "so does a datagram that was overtaken");
});

t.test("what a timer hands over in clumps shows the rate between the clumps", async (t) => {
  const trains: Train[] = [];
  const finder = createTrainFinder(leftTogether, (train) => trains.push(train));
  // Half a millisecond apart at the bottleneck, handed over every two milliseconds.
  for (let i = 0; i <= 12; i++) {
    const arrivedMs = 2 * Math.ceil((0.5 * i) / 2);
    finder.add({ sequence: i, bytes: 1_250, sentMs: 0, arrivedMs, queuedMs: 0 });
  }
  finder.finish();
  t.same(trains[0], { datagrams: 13, bytes: 15_000, spreadMs: 6, totalBytes: 15_000, sentSpreadMs: 0 });
  for (let i = 20; i < 24; i++)
    finder.add({ sequence: i, bytes: 100, sentMs: 9, arrivedMs: 50, queuedMs: 0 });
  finder.finish();
  t.same(
    trains[1],
    { datagrams: 4, bytes: 0, spreadMs: 0, totalBytes: 300, sentSpreadMs: 0 },
    "one clump says how much came at least",
  );
});

t.test(
  "a run goes on while each datagram reaches the bottleneck before the one in front is through",
  async (t) => {
    const runs: Train[] = [];
    const finder = createTrainFinder(keptBusy, (train) => runs.push(train));
    // Two at a time, each a millisecond long on the wire: the queue grows and then drains.
    const sentMs = [0, 0, 0.8, 0.8, 1.6, 1.6, 9, 9, 9];
    let freeMs = 0;
    for (const [sequence, sent] of sentMs.entries()) {
      freeMs = Math.max(freeMs, sent) + 1;
      const arrival = { sentMs: sent, arrivedMs: 20 + freeMs, queuedMs: freeMs - sent - 1 };
      finder.add({ sequence, bytes: 1_000, ...arrival });
    }
    finder.finish();
    t.same(
      runs.map(({ datagrams, bytes, spreadMs }) => [datagrams, bytes, spreadMs]),
      [
        [6, 5_000, 5],
        [3, 2_000, 2],
      ],
    );
  },
);

t.test(
  "what a transport that opens hides of the capacity is used as soon as it shows, at the share that there was",
  async (t) => {
    const rate = createRateController();
    rate.update({ ...sample, capacityBitsPerSecond: 10e6 });
    rate.update({ ...sample, nowMs: 10, capacityBitsPerSecond: 4e6 });
    rate.update({ ...sample, nowMs: 20, capacityBitsPerSecond: 20e6 });
    t.equal(rate.bitsPerSecond, 0.98 * 20e6, "what an opening window hid is no decrease");
    rate.update({ ...sample, nowMs: 500, standingQueueMs: 30 });
    t.equal(rate.bitsPerSecond, 0.98 * 20e6, "the first queue is paused for");
    rate.update({ ...sample, nowMs: 1_000, capacityBitsPerSecond: 10e6, standingQueueMs: 30 });
    t.equal(rate.bitsPerSecond, 0.85 * 0.98 * 10e6);
    rate.update({ ...sample, nowMs: 1_001, standingQueueMs: 30 });
    t.ok(Math.abs(rate.bitsPerSecond! - 0.85 * 0.98 * 20e6) < 1, "a decrease stays one");
  },
);

t.test(
  "a rate that only the capacity limits rises with it at any time, a lower one step by step",
  async (t) => {
    const rate = createRateController();
    for (const nowMs of [0, 60_000]) rate.update({ ...sample, nowMs, capacityBitsPerSecond: 20e6 });
    rate.update({ ...sample, nowMs: 60_010, capacityBitsPerSecond: 300e6 });
    t.equal(rate.bitsPerSecond, 0.98 * 300e6, "frames that show the path may come late");
    for (const nowMs of [60_500, 61_000, 61_500])
      rate.update({ ...sample, nowMs, standingQueueMs: 30, capacityBitsPerSecond: 20e6 });
    const shared = rate.bitsPerSecond!;
    rate.update({ ...sample, nowMs: 61_510, capacityBitsPerSecond: 300e6 });
    t.ok(rate.bitsPerSecond! < 1.2 * shared, `${rate.bitsPerSecond} behind ${shared}`);
  },
);

t.test(
  "runs decide where bursts agree as far as timers let them, and bursts where others share the path",
  async (t) => {
    const bandwidth = createBandwidthEstimator();
    const train = { datagrams: 8, bytes: 10_000, totalBytes: 10_000, sentSpreadMs: 0 };
    // What a timer of 1.2 ms makes of eight datagrams at 20 Mbit/s.
    for (const spreadMs of [3.4, 4.8, 3.6, 4.8, 3.5, 4.2, 4.8, 3.4])
      bandwidth.addBurst({ ...train, spreadMs }, 0);
    for (let i = 0; i < 100; i++) bandwidth.addBurst({ ...train, datagrams: 3, spreadMs: 8 }, 1);
    t.ok(bandwidth.bitsPerSecond! > 22e6, "bursts alone show too much");
    for (let i = 0; i < 20; i++) bandwidth.addRun({ ...train, datagrams: 60, spreadMs: 4 }, 2);
    t.equal(bandwidth.bitsPerSecond, 20e6);
    for (let i = 0; i < 200; i++) bandwidth.addRun({ ...train, datagrams: 60, spreadMs: 8 }, 3);
    t.ok(bandwidth.bitsPerSecond! > 22e6, "half of what bursts show is a share of the path");
    bandwidth.addRun({ ...train, datagrams: 60, spreadMs: 1 }, 10_000);
    t.equal(bandwidth.bitsPerSecond! > 22e6, true, "a run alone is none");
  },
);

t.test("clumps count only where there is nothing better", async (t) => {
  const bandwidth = createBandwidthEstimator();
  const clump = { datagrams: 9, bytes: 0, spreadMs: 0, totalBytes: 10_000, sentSpreadMs: 0 };
  const spread = { datagrams: 9, bytes: 10_000, spreadMs: 8, totalBytes: 10_000, sentSpreadMs: 0 };
  for (let i = 0; i < 9; i++) bandwidth.addBurst(clump, i);
  t.equal(bandwidth.bitsPerSecond, 160e6, "a fast path");
  for (let i = 10; i < 13; i++) bandwidth.addBurst(spread, i);
  t.equal(bandwidth.bitsPerSecond, 10e6);
  t.equal(bandwidth.measuredMs, 12);
});
