import { createStrategySelector, type SelectorConditions, type StrategyCandidate } from "@sluice/client";
import { defaultLimits, type PathEstimate, totalInferenceMs } from "@sluice/protocol";
import t from "tap";

const local: StrategyCandidate = {
  ...{ name: "client", strategy: "client" },
  terms: { clientMs: 60, encodeMs: 0, bytes: 0, decodeMs: 0, serverMs: 0 },
};
const cut: StrategyCandidate = {
  ...{ name: "cut", strategy: "shared" },
  terms: { clientMs: 10, encodeMs: 2, bytes: 20_000, decodeMs: 1, serverMs: 5 },
};

function path(change: Partial<PathEstimate> = {}): PathEstimate {
  return {
    ...{ rttMs: 40, minRttMs: 40, bandwidthBitsPerSecond: 20e6, rateBitsPerSecond: 20e6, bandwidthAgeMs: 0 },
    ...{ queueMs: 0, lossShare: 0, isDark: false, silentMs: 10, ...change },
  };
}

function conditions(nowMs: number, change: Partial<SelectorConditions> = {}): SelectorConditions {
  return { nowMs, framesPerSecond: 30, path: path(), limits: defaultLimits, ...change };
}

t.test("predicts the total inference time and what comes in time of it", (t) => {
  const selector = createStrategySelector({ candidates: [local, cut], deadlineMs: 150 });
  const { candidate, switched } = selector.choose(conditions(0));
  t.equal(candidate, "cut");
  t.match(switched, { cause: "start", from: undefined, to: "cut" });
  const [here, there] = selector.predictions;
  t.equal(here?.totalMs, 60);
  t.ok(Math.abs(here!.framesPerSecond - 1_000 / 60) < 1e-9, "one frame at a time");
  t.equal(there?.totalMs, totalInferenceMs(cut.terms, { bitsPerSecond: 20e6, rttMs: 40 }));
  t.equal(there?.onTimePerSecond, 30);
  t.equal(selector.choose(conditions(10)).switched, undefined);
  t.end();
});

t.test("a bandwidth that wavers around the point of indifference changes the choice once at most", (t) => {
  const selector = createStrategySelector({ candidates: [local, cut], deadlineMs: 150 });
  let switches = 0;
  // 20 kB at 16.7 frames per second, what the client carries, are 2.7 Mbit/s.
  for (let frame = 0; frame < 900; frame++) {
    const rate = 2.7e6 * (1 + 0.03 * Math.sin(frame / 5));
    const { switched } = selector.choose(
      conditions(frame * 33, { path: path({ bandwidthBitsPerSecond: 20e6, rateBitsPerSecond: rate }) }),
    );
    if (switched && switched.cause !== "start") switches++;
  }
  t.ok(switches <= 1, `${switches} changes`);
  t.end();
});

t.test("a path that is lost is left at once and taken again when it answers", (t) => {
  const selector = createStrategySelector({ candidates: [local, cut], deadlineMs: 150 });
  t.equal(selector.choose(conditions(0)).candidate, "cut");
  for (const [lost, reason] of [
    [path({ isDark: true }), /nothing comes back/],
    [path({ silentMs: 300 }), /nothing comes back/],
    [undefined, /nothing comes back/],
  ] as const) {
    const again = createStrategySelector({ candidates: [local, cut], deadlineMs: 150 });
    again.choose(conditions(0));
    t.match(again.choose(conditions(33, { path: lost })).switched, {
      to: "client",
      cause: "path-lost",
      reason,
    });
    t.equal(again.choose(conditions(66, { path: lost })).probe, undefined, "a dark path is not probed");
    t.equal(again.choose(conditions(99)).candidate, "client", "not before its time");
    t.match(again.choose(conditions(1_100)), { candidate: "client", probe: "cut" }, "one frame goes first");
    t.equal(again.choose(conditions(1_133)).probe, undefined, "one");
    const look = { candidate: "cut", isProbe: true, isDropped: false, offeredMs: 1_100 };
    again.add({ ...look, onTime: true }, 1_160);
    t.match(again.choose(conditions(1_166)).switched, { to: "cut", cause: "path-back" });
  }
  const alone = createStrategySelector({ candidates: [cut], deadlineMs: 150 });
  alone.choose(conditions(0));
  t.equal(alone.choose(conditions(33, { path: undefined })).candidate, "cut", "there is nothing else");
  t.end();
});

t.test("limits that the server announces, and streams that it refuses", (t) => {
  const selector = createStrategySelector({ candidates: [local, cut], deadlineMs: 150 });
  selector.choose(conditions(0));
  const limits = { ...defaultLimits, framesPerSecond: 5 };
  t.equal(selector.choose(conditions(2_000, { limits })).switched?.to, "client");
  t.equal(selector.predictions[1]?.framesPerSecond, 5);
  const refused = createStrategySelector({ candidates: [local, cut], deadlineMs: 150 });
  refused.choose(conditions(0));
  t.match(refused.choose(conditions(33, { unavailable: new Set(["cut"]) })).switched, {
    ...{ to: "client", cause: "availability" },
  });
  t.end();
});

t.test(
  "an idle path is probed, less often while it fails, and success lifts what was held against it",
  (t) => {
    const selector = createStrategySelector({
      candidates: [local, cut],
      deadlineMs: 150,
      probeIntervalMs: 1_000,
    });
    const slow = path({ bandwidthBitsPerSecond: 0.3e6, rateBitsPerSecond: 0.3e6 });
    const probes: number[] = [];
    for (let nowMs = 0; nowMs < 10_000; nowMs += 33) {
      const { candidate, probe } = selector.choose(conditions(nowMs, { path: slow }));
      t.equal(candidate, "client");
      if (probe === undefined) continue;
      t.equal(probe, "cut");
      probes.push(nowMs);
      selector.add(
        { candidate: "cut", isProbe: true, isDropped: false, onTime: false, offeredMs: nowMs },
        nowMs + 300,
      );
    }
    const gaps = probes.slice(1).map((ms, i) => ms - probes[i]!);
    t.ok(gaps[0]! < 1_500 && gaps.at(-1)! >= 1_000 && gaps.at(-1)! <= 3_000, gaps.join(" "));
    const looks: number[] = [];
    for (let nowMs = 12_000; nowMs < 14_000; nowMs += 33) {
      const { candidate, probe } = selector.choose(conditions(nowMs));
      t.equal(candidate, "client", "a far better path, as it seems");
      if (probe === undefined) continue;
      looks.push(nowMs);
      const look = { candidate: "cut", isProbe: true, isDropped: false, offeredMs: nowMs };
      selector.add({ ...look, onTime: false }, nowMs + 20);
    }
    t.ok(
      looks.length >= 3 && looks.length <= 5,
      `${looks.join(" ")}: again and again, but not with every frame`,
    );
    selector.choose(conditions(16_000));
    const look = { candidate: "cut", isProbe: true, isDropped: false, offeredMs: 16_000 };
    selector.add({ ...look, onTime: true }, 16_050);
    t.equal(selector.choose(conditions(16_066)).candidate, "cut", "once one has come through");
    t.end();
  },
);

t.test("what runs here is tried now and then, so that a profile of a busy moment does not stay", (t) => {
  const slow = { ...local, terms: { ...local.terms, clientMs: 400 } };
  const selector = createStrategySelector({ candidates: [slow, cut], deadlineMs: 150 });
  let probes = 0;
  for (let nowMs = 0; nowMs < 20_000; nowMs += 33) {
    const { probe } = selector.choose(conditions(nowMs));
    if (probe !== "client") continue;
    probes++;
    const sample = { candidate: "client", isProbe: true, isDropped: false, onTime: true, offeredMs: nowMs };
    selector.add({ ...sample, clientMs: 40 }, nowMs + 40);
  }
  t.equal(probes, 5);
  t.ok(selector.predictions[0]!.totalMs < 100, `${selector.predictions[0]!.totalMs} ms`);
  const late = createStrategySelector({ candidates: [slow, cut], deadlineMs: 150 });
  late.choose(conditions(0));
  t.equal(late.choose(conditions(33, { path: undefined })).candidate, "client", "late is more than nothing");
  t.end();
});

t.test("a candidate that promises more than it holds is visited more and more rarely", (t) => {
  const selector = createStrategySelector({ candidates: [local, cut], deadlineMs: 150 });
  const visits: number[] = [];
  for (let nowMs = 0; nowMs < 120_000; nowMs += 33) {
    const { candidate, probe, switched } = selector.choose(conditions(nowMs));
    if (switched?.to === "cut") visits.push(nowMs);
    // Alone a frame comes through.
    if (probe === "cut")
      selector.add(
        { candidate: probe, isProbe: true, isDropped: false, onTime: true, offeredMs: nowMs },
        nowMs,
      );
    // Nothing that is sent comes in time, whatever the path says.
    const sample = { candidate, isProbe: false, isDropped: false, offeredMs: nowMs };
    selector.add({ ...sample, onTime: candidate === "client" && nowMs % 66 === 0 }, nowMs);
  }
  const gaps = visits.slice(1).map((ms, i) => ms - visits[i]!);
  t.ok(visits.length >= 2 && visits.length <= 12, `${visits.length} visits`);
  t.ok(gaps.at(-1)! > 2 * gaps[0]!, gaps.join(" "));
  t.end();
});

t.test("of what fails with less of everything no more is expected with more", (t) => {
  const slow = { ...local, terms: { ...local.terms, clientMs: 140 } };
  const light = { ...cut, name: "light", worth: 0.9, terms: { ...cut.terms, bytes: 5_000 } };
  const selector = createStrategySelector({ candidates: [slow, cut, light], deadlineMs: 150 });
  const went: string[] = [];
  for (let nowMs = 0; nowMs < 1_600; nowMs += 33) {
    const { candidate, switched } = selector.choose(conditions(nowMs));
    if (switched) went.push(switched.to);
    selector.add({ candidate, isProbe: false, isDropped: false, onTime: false, offeredMs: nowMs }, nowMs);
  }
  t.same(went, ["cut", "light"]);
  const [, heavy, lighter] = selector.predictions;
  t.ok(lighter!.onTimePerSecond < 0.6 * lighter!.promisedPerSecond, "the lighter one fails");
  t.ok(
    heavy!.onTimePerSecond <= lighter!.onTimePerSecond,
    "the other one has not come back by time meanwhile",
  );
  t.end();
});

t.test(
  "a server that was seen full carries what it then did, and more of a candidate that asks less of it",
  (t) => {
    const whole = { ...cut, name: "whole", terms: { ...cut.terms, clientMs: 0, serverMs: 50 } };
    const carriedAfter = (queueMs: number) => {
      const selector = createStrategySelector({ candidates: [local, cut, whole], deadlineMs: 300 });
      const stages = {
        encodeMs: 2,
        bytes: 20_000,
        decodeMs: 1,
        serverMs: 50,
        networkMs: 50,
        reassemblyMs: 8,
      };
      for (let nowMs = 0; nowMs < 1_000; nowMs += 50) {
        const sample = {
          candidate: "whole",
          isProbe: false,
          isDropped: false,
          onTime: true,
          offeredMs: nowMs,
        };
        selector.add({ ...sample, delivered: { ...stages, queueMs } }, nowMs);
      }
      selector.choose(conditions(1_000));
      return selector.predictions.map(({ framesPerSecond }) => Math.round(framesPerSecond));
    };
    t.same(carriedAfter(100).slice(1), [30, 21], "one each 50 ms; the cut takes a tenth of that");
    t.same(carriedAfter(1).slice(1), [30, 30], "one that waits for nothing shows no limit");
    t.end();
  },
);

t.test("what failed under a load is forgiven when that is gone", (t) => {
  const server: StrategyCandidate = {
    ...{ name: "server", strategy: "server", worth: 0.6 },
    terms: { clientMs: 0, encodeMs: 0, bytes: 60_000, decodeMs: 0, serverMs: 10 },
  };
  const selector = createStrategySelector({ candidates: [local, cut, server], deadlineMs: 150 });
  let nowMs = 0;
  const run = (untilMs: number, cutMs: number) => {
    for (; nowMs < untilMs; nowMs += 33) {
      const { candidate } = selector.choose(conditions(nowMs));
      const onTime = candidate === "server" || cutMs <= 10;
      const common = { isDropped: false, offeredMs: nowMs };
      selector.add(
        { candidate, isProbe: false, onTime, ...common, ...(candidate === "cut" ? { clientMs: cutMs } : {}) },
        nowMs,
      );
    }
  };
  const cutNow = () => selector.predictions.find(({ candidate }) => candidate === "cut")!;
  run(1_000, 10);
  t.equal(selector.choose(conditions(nowMs)).candidate, "cut");
  run(2_600, 30);
  t.equal(selector.choose(conditions(nowMs)).candidate, "server");
  const { onTimePerSecond, promisedPerSecond } = cutNow();
  t.ok(onTimePerSecond < 0.8 * promisedPerSecond, `${onTimePerSecond} of ${promisedPerSecond} by the cut`);
  for (const offeredMs of [nowMs, nowMs + 10]) {
    const sample = { candidate: "client", isProbe: true, isDropped: false, onTime: true, offeredMs };
    selector.add({ ...sample, clientMs: 60 }, offeredMs);
  }
  run(nowMs + 700, 10);
  t.equal(cutNow().onTimePerSecond, cutNow().promisedPerSecond);
  t.end();
});

t.test("frames that take longer on the path than is known of it make all slower that are sent", (t) => {
  const selector = createStrategySelector({ candidates: [local, cut], deadlineMs: 150 });
  const totalMs = (nowMs: number) => {
    selector.choose(conditions(nowMs));
    return selector.predictions[1]!.totalMs;
  };
  const known = totalMs(0);
  const stages = { encodeMs: 2, bytes: 20_000, decodeMs: 1, queueMs: 0, serverMs: 5, reassemblyMs: 8 };
  for (let nowMs = 0; nowMs < 500; nowMs += 33) {
    const sample = { candidate: "cut", isProbe: false, isDropped: false, onTime: false, offeredMs: nowMs };
    selector.add({ ...sample, delivered: { ...stages, networkMs: 340 } }, nowMs);
  }
  const seen = totalMs(500);
  t.ok(seen > known + 280 && seen < known + 301, `${known} and then ${seen} ms`);
  t.ok(totalMs(15_000) < known + 10, "queues drain");
  t.end();
});

t.test("what the last choice left in queues on the path says nothing of the next", (t) => {
  for (const offeredMs of [1_480, 1_600]) {
    const selector = createStrategySelector({ candidates: [local, cut], deadlineMs: 150 });
    t.equal(selector.choose(conditions(0)).candidate, "cut");
    t.equal(selector.choose(conditions(1_500, { path: path({ isDark: true }) })).candidate, "client");
    const times = { encodeMs: 2, bytes: 20_000, decodeMs: 1, queueMs: 0, serverMs: 5, reassemblyMs: 0 };
    selector.add(
      {
        ...{ candidate: "cut", onTime: false, isProbe: offeredMs > 1_500, isDropped: false, offeredMs },
        delivered: { ...times, networkMs: 600 },
      },
      2_200,
    );
    selector.choose(conditions(2_210));
    const { totalMs } = selector.predictions.find(({ candidate }) => candidate === "cut")!;
    if (offeredMs < 1_500) t.ok(totalMs < 80, `${totalMs} ms: it was its own queue`);
    else t.ok(totalMs > 150, `${totalMs} ms: a frame beside the next one met it, too`);
  }
  t.end();
});

t.test("what is seen to come in time counts, though estimates say that none would", (t) => {
  const slow: StrategyCandidate = { ...local, terms: { ...local.terms, clientMs: 120 } };
  for (const onTime of [true, false]) {
    const selector = createStrategySelector({ candidates: [slow, cut], deadlineMs: 150 });
    let left: number | undefined;
    for (let frame = 0; frame < 90; frame++) {
      const nowMs = frame * 33;
      // From 1 s on a queue is told of that would make all of them late.
      const change = nowMs < 1_000 ? {} : { path: path({ queueMs: 120 }) };
      const { candidate } = selector.choose(conditions(nowMs, change));
      if (candidate !== "cut") left ??= nowMs;
      const sample = { candidate: "cut", isProbe: false, isDropped: false, offeredMs: nowMs };
      if (candidate === "cut") selector.add({ ...sample, onTime: nowMs < 1_000 || onTime }, nowMs + 20);
    }
    if (onTime) t.equal(left, undefined, "it is kept while they come");
    else t.ok(left! < 1_800, `and left where they do not, at ${left} ms`);
  }
  t.end();
});

t.test("options that cannot be are named", (t) => {
  t.throws(() => createStrategySelector({ candidates: [], deadlineMs: 150 }), /candidates: at least one/);
  t.throws(() => createStrategySelector({ candidates: [cut, cut], deadlineMs: 150 }), /"cut" is there twice/);
  t.throws(() => createStrategySelector({ candidates: [cut], deadlineMs: 0 }), /deadlineMs must be above 0/);
  t.throws(
    () => createStrategySelector({ candidates: [{ ...cut, worth: 2 }], deadlineMs: 1 }),
    /worth of "cut" must be 0 to 1/,
  );
  const negative = { ...cut, terms: { ...cut.terms, serverMs: -1 } };
  t.throws(
    () => createStrategySelector({ candidates: [negative], deadlineMs: 1 }),
    /serverMs of "cut" must be at least 0/,
  );
  t.end();
});
