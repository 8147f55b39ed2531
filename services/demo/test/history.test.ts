import t from "tap";
import { createHistory } from "#demo/page/history.js";
import type { FrameEnd, StreamFigures } from "#demo/page/messages.js";

const timings = {
  ...{ produce: 4, encode: 1, network: 40, reassembly: 2, decode: 1, conceal: 1, queue: 1, inference: 3 },
};

function frame(atMs: number, changes: Partial<FrameEnd> = {}): FrameEnd {
  return {
    ...{ atMs, status: "delivered", reason: "", onTime: true, latencyMs: 50, timings, concealedFraction: 0 },
    ...{ slicesRecovered: 0, predictions: [], isRight: undefined, candidate: "cut in two", ...changes },
  };
}

const figures = (changes: Partial<StreamFigures>): StreamFigures => ({
  ...{
    offered: 0,
    admitted: 0,
    bytesSent: 0,
    bandwidthBitsPerSecond: undefined,
    rttMs: undefined,
    lossShare: 0,
  },
  ...{ slicesRepeated: 0, repairsSent: 0, packets: 0, packetsLost: 0, ...changes },
});

t.test("a step shows what happened in it", async (t) => {
  const history = createHistory();
  history.addFigures(figures({}), 0);
  history.step(0);
  t.match(history.steps[0], {
    onTimePercent: null,
    usedMegabits: null,
    bytesPerFrame: null,
    lostPercent: null,
  });
  history.addFrame(frame(100, { latencyMs: 40, concealedFraction: 0.1, isRight: true }));
  history.addFrame(frame(200, { latencyMs: 60, onTime: false, slicesRecovered: 2, isRight: false }));
  history.addFrame(frame(300, { status: "dropped", onTime: false, latencyMs: 0, timings: undefined }));
  history.addFrame(frame(400, { status: "expired", onTime: false, latencyMs: 0, timings: undefined }));
  history.addFigures(
    figures({ admitted: 3, bytesSent: 30_000, bandwidthBitsPerSecond: 2e6, packets: 200, packetsLost: 6 }),
    500,
  );
  history.step(500);
  t.match(history.steps[1], {
    ...{ atSeconds: 0.5, onTimePercent: 25, medianMs: 60, bandwidthMegabits: 2, usedMegabits: 0.48 },
    ...{
      bytesPerFrame: 10_000,
      lostPercent: 3,
      concealedPercent: 5,
      repairedPercent: 50,
      accuracyPercent: 50,
    },
  });
});

t.test("the summary is of the last seconds, and forgets", async (t) => {
  const history = createHistory();
  for (let i = 0; i <= 150; i++) history.addFrame(frame(i * 33, { isRight: i % 4 !== 0 }));
  const summary = history.summary(150 * 33);
  t.match(summary, { onTimePercent: 100, medianMs: 50, concealedPercent: 0, stages: timings });
  t.ok(Math.abs(summary.framesPerSecond - 30.5) < 0.5, `${summary.framesPerSecond} frames a second`);
  t.equal(summary.accuracyCount, 151);
  t.match(history.summary(60_000), {
    onTimePercent: null,
    framesPerSecond: 0,
    accuracyCount: 0,
    stages: undefined,
  });
});

t.test("counters of another connection, which begin again, give no negative rates", async (t) => {
  const history = createHistory();
  history.addFigures(figures({ bytesSent: 50_000, admitted: 10 }), 0);
  history.step(0);
  history.addFigures(figures({ bytesSent: 1_000, admitted: 1 }), 500);
  history.step(500);
  t.match(history.steps[1], { usedMegabits: null, bytesPerFrame: null });
});

t.test("it is bounded", async (t) => {
  const history = createHistory();
  for (let i = 0; i < 1_000; i++) history.step(i * 500);
  t.equal(history.steps.length, 120);
  t.equal(history.steps.at(-1)?.atSeconds, 499.5);
});
