import { ErrorCode, type ReceivedFrame } from "@sluice/protocol";
import t from "tap";
import { maxFramesInReassembly, maxReassemblyBytes, maxRememberedFrames } from "#src/limits.js";
import { createReassembly, type Reassembly, type ReassemblyStream } from "#src/reassembly.js";
import type { SliceHeader } from "#src/slice-header.js";
import { createIntegers } from "./integers.js";

const stream: ReassemblyStream = {
  units: 100,
  maxFrameBytes: 1 << 20,
  deadlineMs: 200,
  releaseQuiet: true,
  minReceived: 0,
  fecSpan: 0,
};
const rttMs = 40;

function open(options: Partial<ReassemblyStream> = {}): Reassembly {
  const reassembly = createReassembly();
  reassembly.openStream(1, { ...stream, ...options });
  return reassembly;
}

function header(frame: number, index: number, count: number, ageMs = 0): SliceHeader {
  return { stream: 1, frame, index, count, ageMs, payloadBytes: undefined, sequence: undefined };
}

/** What a slice counts for beside its payload. */
const overheadBytes = (() => {
  const probe = open();
  add(probe, 1, 0, 100, 0, 0);
  return probe.bytes();
})();

function add(reassembly: Reassembly, frame: number, index: number, count: number, nowMs: number, size = 10) {
  return reassembly.add(header(frame, index, count), new Uint8Array(size).fill(index), nowMs, rttMs);
}

function pollAll(reassembly: Reassembly, nowMs: number): ReceivedFrame[] {
  const frames: ReceivedFrame[] = [];
  for (let frame = reassembly.poll(nowMs); frame; frame = reassembly.poll(nowMs)) frames.push(frame);
  return frames;
}

t.test("a complete frame is released at once, whatever the order of its slices", async (t) => {
  const reassembly = open();
  const order = [2, 0, 3, 1];
  order.forEach((index, i) => {
    t.equal(reassembly.poll(1_000 + i), undefined);
    t.equal(
      reassembly.add(header(7, index, 4, 30 + i), new Uint8Array(10).fill(index), 1_000 + i, rttMs),
      "taken",
    );
  });
  t.equal(reassembly.nextTimeoutMs(), Number.NEGATIVE_INFINITY);
  const frame = reassembly.poll(1_003);
  t.match(frame, {
    ...{ stream: 1, frame: 7, unitsReceived: 100, units: 100, firstArrivalMs: 1_000, lastArrivalMs: 1_003 },
    // The earliest estimate of the capture; the result has to travel back within the deadline.
    ...{ capturedMs: 970, expiresAtMs: 970 + 200 - rttMs },
  });
  t.same(
    frame?.slices.map(({ index, count, payload }) => [index, count, payload[0]]),
    order.map((i) => [i, 4, i]),
  );
  t.same(
    [reassembly.frames(), reassembly.bytes(), reassembly.nextTimeoutMs()],
    [0, 0, Number.POSITIVE_INFINITY],
  );
});

t.test("a frame that was overtaken waits for reordering only", async (t) => {
  const own = open();
  add(own, 1, 0, 4, 0);
  add(own, 1, 3, 4, 1);
  t.equal(own.nextTimeoutMs(), 5, "its own last slice has come");
  t.equal(own.poll(4.9), undefined);
  t.equal(own.poll(5)?.unitsReceived, 50);

  const others = open();
  add(others, 1, 0, 4, 0);
  add(others, 2, 0, 4, 10);
  t.same(pollAll(others, 13.9), []);
  t.match(pollAll(others, 14), [{ frame: 1, unitsReceived: 25 }]);
  t.equal(others.frames(), 1, "the later frame goes on");
});

t.test("the wait for reordering follows what the path shows, up to a bound", async (t) => {
  const reassembly = open({ deadlineMs: 10_000 });
  const waitOf = (frame: number, nowMs: number) => {
    add(reassembly, frame, 3, 4, nowMs);
    const waitMs = reassembly.nextTimeoutMs() - nowMs;
    t.equal(pollAll(reassembly, nowMs + 500).length, 1);
    return waitMs;
  };
  t.equal(waitOf(1, 1_000), 4);
  t.equal(add(reassembly, 1, 0, 4, 1_508), "late", "8 ms too late");
  const after = waitOf(2, 2_000);
  t.ok(after > 11 && after <= 12, `${after}`);
  t.equal(add(reassembly, 2, 0, 4, 9_000), "late");
  const bounded = waitOf(3, 10_000);
  t.ok(bounded > 29 && bounded <= 30, `${bounded}`);
  for (let frame = 4; frame < 400; frame++) waitOf(frame, 10_000 + frame * 1_000);
  t.ok(waitOf(400, 500_000) < 4.2, "and falls again");
});

t.test("a frame of which nothing more comes is given up after a while, not on streams", async (t) => {
  const datagrams = open();
  add(datagrams, 1, 0, 4, 100);
  t.equal(datagrams.nextTimeoutMs(), 160);
  t.equal(datagrams.poll(159), undefined);
  t.match(datagrams.poll(160), { frame: 1, unitsReceived: 25 });

  const streams = open({ releaseQuiet: false });
  add(streams, 1, 3, 4, 100);
  t.equal(streams.nextTimeoutMs(), 100 + 200 - rttMs, "until its deadline");
  t.match(streams.poll(260), { frame: 1, unitsReceived: 25 });

  const reliable = open({ releaseQuiet: false, deadlineMs: Number.POSITIVE_INFINITY });
  add(reliable, 1, 0, 4, 100);
  t.equal(reliable.nextTimeoutMs(), Number.POSITIVE_INFINITY);
  t.equal(reliable.poll(1e9), undefined);
  reliable.end(1, 1);
  t.match(reliable.poll(1e9), { frame: 1, unitsReceived: 25 });
  reliable.end(1, 2);
  reliable.end(9, 1);
  t.equal(reliable.poll(1e9), undefined);
});

t.test("a frame is released while its result can still be in time, the work on it included", async (t) => {
  const reassembly = open();
  reassembly.add(header(1, 0, 4, 120), new Uint8Array(1), 1_000, rttMs);
  t.equal(reassembly.nextTimeoutMs(), 1_000 - 120 + 200 - rttMs);
  reassembly.setProcessingMs(15);
  t.equal(reassembly.nextTimeoutMs(), 1_000 - 120 + 200 - rttMs - 15 - 15);
  reassembly.setProcessingMs(30);
  t.equal(reassembly.nextTimeoutMs(), 1_000 - 120 + 200 - rttMs - 30 - 20, "a tenth of the deadline");
  t.equal(reassembly.poll(989), undefined);
  reassembly.setProcessingMs(10);
  t.equal(reassembly.poll(1_019), undefined);
  t.match(reassembly.poll(1_020), { expiresAtMs: 1_040 });
  reassembly.add(header(2, 0, 4, 0xffffffff), new Uint8Array(1), 2_000, rttMs);
  t.match(reassembly.poll(2_000), { frame: 2 }, "far too old: at once");
});

t.test("duplicates and late slices are told and change nothing", async (t) => {
  const reassembly = open();
  t.equal(add(reassembly, 1, 0, 2, 0), "taken");
  t.equal(add(reassembly, 1, 0, 2, 1), "duplicate");
  t.equal(reassembly.bytes(), 10 + overheadBytes);
  t.equal(add(reassembly, 1, 1, 2, 2), "taken");
  t.equal(add(reassembly, 1, 1, 2, 2), "duplicate", "the frame is complete");
  t.equal(pollAll(reassembly, 2)[0]?.slices.length, 2);
  t.equal(add(reassembly, 1, 0, 2, 3), "duplicate");
  t.equal(
    reassembly.add({ ...header(1, 0, 1), stream: 2 }, new Uint8Array(1), 3, rttMs),
    "late",
    "unknown stream",
  );
  t.equal(reassembly.frames(), 0);
});

t.test("a duplicate of a frame that has all the bytes it may have is a duplicate", async (t) => {
  const reassembly = open({ maxFrameBytes: 30 });
  t.equal(add(reassembly, 1, 0, 4, 0, 15), "taken");
  t.equal(add(reassembly, 1, 1, 4, 0, 15), "taken");
  t.equal(add(reassembly, 1, 1, 4, 0, 15), "duplicate");
  t.equal(add(reassembly, 1, 2, 4, 0, 1), "too-large");
  t.equal(add(reassembly, 2, 0, 4, 0, 31), "too-large");
  t.equal(add(reassembly, 3, 0, 4, 0, 30), "taken");
});

t.test("slices of different counts cover the tensor together", async (t) => {
  const seed = 5;
  t.comment(`seed ${seed}`);
  const integers = createIntegers(seed);
  const split = open();
  add(split, 1, 0, 2, 0);
  // The second half was cut again.
  t.equal(add(split, 1, 2, 4, 0), "taken");
  t.equal(add(split, 1, 1, 2, 0), "taken", "it brings the last quarter");
  t.match(split.poll(0), { unitsReceived: 100 });
  for (let round = 0; round < 300; round++) {
    const units = integers.between(1, 60);
    const reassembly = open({ units, deadlineMs: 1_000 });
    const seen = new Set<number>();
    for (let step = 0; step < 30 && seen.size < units; step++) {
      const count = integers.between(1, units);
      const index = integers.between(0, count - 1);
      const before = seen.size;
      for (let u = Math.floor((index * units) / count); u < Math.floor(((index + 1) * units) / count); u++)
        seen.add(u);
      const receipt = add(reassembly, 1, index, count, 0);
      if (receipt !== (seen.size > before ? "taken" : "duplicate")) t.fail(`round ${round}: ${receipt}`);
    }
    const [frame] = pollAll(reassembly, 500);
    if (frame?.unitsReceived !== seen.size) t.fail(`round ${round}: ${frame?.unitsReceived} of ${seen.size}`);
  }
});

t.test("more slices than units cannot be", async (t) => {
  const reassembly = open();
  t.throws(() => add(reassembly, 1, 0, 101, 0), {
    code: ErrorCode.sliceOutOfRange,
    message: /over the 100 units/,
  });
  t.equal(reassembly.frames(), 0);
  t.equal(add(reassembly, 1, 99, 100, 0), "taken");
});

t.test("the bound on frames releases the oldest only", async (t) => {
  const reassembly = open();
  for (let frame = 0; frame < maxFramesInReassembly + 3; frame++) add(reassembly, frame, 0, 4, 0);
  t.equal(reassembly.frames(), maxFramesInReassembly + 3, "released ones count until they are taken");
  t.same(
    pollAll(reassembly, 0).map(({ frame }) => frame),
    [0, 1, 2],
  );
  t.equal(reassembly.frames(), maxFramesInReassembly);
});

t.test("the bound on bytes releases the oldest only", async (t) => {
  const reassembly = open({ maxFrameBytes: maxReassemblyBytes });
  // One buffer serves all: the bound is about what is announced as held.
  const payload = new Uint8Array(30 << 20);
  for (let frame = 0; frame < 5; frame++) reassembly.add(header(frame, 0, 4), payload, 0, rttMs);
  t.same(
    pollAll(reassembly, 0).map(({ frame }) => frame),
    [0],
  );
  t.ok(reassembly.bytes() <= maxReassemblyBytes);
  t.equal(reassembly.frames(), 4);
});

t.test("slices without bytes cost something too", async (t) => {
  const units = 1 << 24;
  const reassembly = open({ units, maxFrameBytes: 1 << 20 });
  const empty = new Uint8Array(0);
  const startMs = performance.now();
  let refused = 0;
  // Every second slice, from the last to the first: nothing touches anything.
  for (let i = 0; i < 200_000; i++) {
    if (reassembly.add(header(1, units - 1 - 2 * i, units), empty, 0, rttMs) === "scattered") refused++;
  }
  const tookMs = performance.now() - startMs;
  t.ok(refused > 100_000, `${refused} refused`);
  t.ok(reassembly.bytes() > 0 && reassembly.bytes() <= maxReassemblyBytes);
  t.comment(`${tookMs} ms`);
});

t.test("a small payload does not keep the datagram that it came in", async (t) => {
  const reassembly = open();
  reassembly.add(header(1, 0, 1), new Uint8Array(65_536).subarray(5, 15), 0, rttMs);
  t.equal(reassembly.poll(0)?.slices[0]?.payload.buffer.byteLength, 10);
});

t.test("the newest frames that have ended are remembered, the others count as ended too", async (t) => {
  const reassembly = open();
  const last = maxRememberedFrames + 100;
  for (let frame = 0; frame <= last; frame++) {
    add(reassembly, frame, 0, 1, 0);
    pollAll(reassembly, 0);
  }
  t.equal(add(reassembly, last, 0, 1, 1), "duplicate");
  t.equal(add(reassembly, 0, 0, 1, 1), "late");
  t.equal(add(reassembly, last + 1, 0, 2, 1), "taken");
});

t.test("closing a stream gives its frames and bytes back", async (t) => {
  const reassembly = open();
  for (let frame = 0; frame < 5; frame++) add(reassembly, frame, 0, 4, 0);
  reassembly.closeStream(1);
  reassembly.closeStream(1);
  t.equal(pollAll(reassembly, 0).length, 5);
  t.same(
    [reassembly.frames(), reassembly.bytes(), reassembly.nextTimeoutMs()],
    [0, 0, Number.POSITIVE_INFINITY],
  );
  t.equal(add(reassembly, 9, 0, 4, 0), "late");
});

t.test(
  "of a stream whose slices come close together, the lost end of a frame is waited for no longer than that",
  async (t) => {
    const reassembly = open();
    let nowMs = 0;
    const send = (frame: number, slices: number) => {
      nowMs += 33;
      pollAll(reassembly, nowMs);
      for (let i = 0; i < slices; i++) if (i !== 4) add(reassembly, frame, i, 10, nowMs + i);
      nowMs += slices;
    };
    for (let frame = 0; frame < 100; frame++) send(frame, 10);
    send(100, 9);
    const waitMs = reassembly.nextTimeoutMs() - (nowMs - 1);
    t.ok(waitMs >= 10 && waitMs <= 15, `${waitMs} ms`);
    t.match(pollAll(reassembly, nowMs + 15), [{ frame: 100, unitsReceived: 80 }]);
    t.equal(add(reassembly, 100, 9, 10, nowMs + 40), "late");
    send(101, 9);
    t.ok(reassembly.nextTimeoutMs() - (nowMs - 1) > 35, "one that came later than that is allowed for");
  },
);

const repair = (frame: number, index: number, count: number) => ({
  ...header(frame, index, count),
  repair: 1,
});

t.test(
  "with forward error correction a frame waits for its last symbol, not for its last slice",
  async (t) => {
    const reassembly = open({ fecSpan: 1 });
    add(reassembly, 1, 0, 4, 1_000);
    add(reassembly, 1, 3, 4, 1_002);
    t.same(pollAll(reassembly, 1_020), [], "symbols are to come");
    reassembly.repair(repair(1, 0, 2), 1_021);
    t.same(pollAll(reassembly, 1_030), []);
    reassembly.repair(repair(1, 1, 2), 1_031);
    t.same(pollAll(reassembly, 1_034), [], "reordered ones may come");
    t.match(pollAll(reassembly, 1_035.1), [{ frame: 1, unitsReceived: 50, slicesRecovered: 0 }]);
  },
);

t.test("a slice of a later frame tells that no symbol comes, `span` frames later", async (t) => {
  for (const fecSpan of [1, 3]) {
    const reassembly = open({ fecSpan });
    add(reassembly, 1, 0, 4, 1_000);
    for (let frame = 2; frame < 1 + fecSpan; frame++) {
      add(reassembly, frame, 0, 1, 1_000 + 10 * frame);
      t.same(
        pollAll(reassembly, 1_009 + 10 * frame).map((each) => each.frame),
        [frame],
      );
    }
    add(reassembly, 1 + fecSpan, 0, 1, 1_050);
    t.same(
      pollAll(reassembly, 1_054.1).map(({ frame }) => frame),
      [1 + fecSpan, 1],
    );
  }
});

t.test("symbols of a later frame's group end the wait of those before it; silence ends it too", async (t) => {
  const reassembly = open({ fecSpan: 2 });
  add(reassembly, 1, 0, 4, 1_000);
  reassembly.repair(repair(2, 0, 1), 1_040);
  t.same(pollAll(reassembly, 1_043), []);
  t.match(pollAll(reassembly, 1_044.1), [{ frame: 1 }]);
  add(reassembly, 3, 0, 4, 1_050);
  t.same(pollAll(reassembly, 1_150), [], "60 ms for each frame of a group");
  t.match(pollAll(reassembly, 1_170), [{ frame: 3 }]);
  reassembly.repair({ ...repair(9, 0, 1), stream: 7 }, 1_200);
  t.equal(reassembly.frames(), 0, "a symbol begins no frame");
});

t.test("recovered slices count apart, complete a frame, and say nothing about reordering", async (t) => {
  const reassembly = open({ fecSpan: 1 });
  const recover = (frame: number, index: number, nowMs: number) =>
    reassembly.add(header(frame, index, 4, 10), new Uint8Array(10), nowMs, rttMs, true);
  add(reassembly, 1, 0, 4, 1_000);
  for (const index of [1, 2]) t.equal(recover(1, index, 1_010), "taken");
  t.equal(recover(1, 2, 1_010), "duplicate");
  add(reassembly, 1, 3, 4, 1_011);
  t.match(pollAll(reassembly, 1_011), [{ frame: 1, unitsReceived: 100, slicesRecovered: 2 }]);
  add(reassembly, 2, 0, 4, 1_020);
  reassembly.repair(repair(2, 0, 1), 1_020);
  t.match(pollAll(reassembly, 1_024.1), [{ frame: 2 }]);
  t.equal(recover(2, 1, 1_040), "late");
  add(reassembly, 3, 0, 4, 1_060);
  reassembly.repair(repair(3, 0, 1), 1_060);
  t.match(pollAll(reassembly, 1_064.1), [{ frame: 3 }], "the wait for reordered ones has not grown");
});
