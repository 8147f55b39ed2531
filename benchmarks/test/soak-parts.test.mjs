// What a campaign is made of: the plan, the sums and the slopes.
import t from "tap";
import { createRandom } from "../../packages/simnet/dist/index.js";
import {
  checkClientFrames,
  checkFullDisk,
  checkLeftovers,
  checkReached,
  checkServerFrames,
  judgeMemory,
  sumRecovery,
} from "../soak/accounts.mjs";
import { readOptions } from "../soak/options.mjs";
import { faults, planSteps } from "../soak/plan.mjs";
import { parseMetrics } from "../soak/server-process.mjs";
import { floors, theilSen } from "../soak/slope.mjs";

function firstSteps(count, { seed = 1, minutes = 60, kinds = faults } = {}) {
  const plan = planSteps({ random: createRandom(seed), minutes, kinds });
  return Array.from({ length: count }, () => plan.next().value);
}
const names = (steps) => steps.map(({ faults: [{ fault }] }) => fault.name);
const tell = (steps) => steps.map((step) => step.faults.map(({ fault, drawn }) => [fault.name, drawn]));

t.test(
  "each round has each kind once, but for the ends of servers, and all of it follows from the seed",
  (t) => {
    const steps = firstSteps(8 * faults.length);
    const all = faults.map(({ name }) => name).sort();
    for (let round = 0; round < 7; round++) {
      const own = names(steps.filter((step) => step.round === round)).sort();
      const isSpared = (name) => round % 6 !== 0 && ["server kill", "server restart"].includes(name);
      t.strictSame(
        own,
        all.filter((name) => !isSpared(name)),
      );
    }
    const kills = firstSteps(3, { kinds: faults.filter(({ name }) => name === "server kill") });
    t.strictSame(
      names(kills),
      ["server kill", "server kill", "server kill"],
      "where nothing else is asked for",
    );
    t.strictSame(tell(firstSteps(60)), tell(firstSteps(60)));
    t.notSame(tell(firstSteps(60)), tell(firstSteps(60, { seed: 2 })));
    const pairs = steps.filter((step) => step.faults.length === 2);
    t.ok(
      pairs.length > 0 &&
        pairs.every(({ round, faults: [, { fault }] }) => round > 0 && fault.group === "network"),
    );
    t.end();
  },
);

t.test("short campaigns have short faults, and each says what it does", (t) => {
  const longest = (steps) =>
    Math.max(...steps.flatMap((step) => step.faults.map(({ drawn }) => drawn.seconds)));
  t.ok(longest(firstSteps(200, { minutes: 2 })) <= 2.1);
  t.ok(longest(firstSteps(200)) > 6);
  for (const { faults: drawn } of firstSteps(200)) for (const one of drawn) t.match(one.drawn.text, /\w/);
  t.end();
});

t.test("options", (t) => {
  t.match(readOptions([]), { minutes: 60, seed: "1", kinds: faults, json: false });
  const { kinds } = readOptions(["--only", "server kill,hostile"]);
  t.strictSame(kinds.map(({ name }) => name).slice(0, 2), ["server kill", "stalling client"]);
  t.throws(() => readOptions(["--only", "flood"]), /--only: there is no fault "flood"/);
  t.throws(() => readOptions(["--minutes", "0"]), /--minutes must be from 0.1/);
  t.strictSame(readOptions(["--beside", "reliable,page"]).companions, ["reliable", "page"]);
  t.ok(readOptions(["--beside", "all"]).companions.includes("auto"));
  t.throws(() => readOptions(["--beside", "toString"]), /--beside: there is no client "toString"/);
  t.throws(() => readOptions(["--split", "add_3"]), /--split is for a --model/);
  t.throws(() => readOptions(["--engine", "x"]), /--engine must be/);
  t.end();
});

const line = (count, value, life = 0) =>
  Array.from({ length: count }, (_, minutes) => ({ life, minutes, value: value(minutes) }));

t.test("the slope is the median one, whatever a few looks say, and knows no other life", (t) => {
  const rising = theilSen(line(20, (minutes) => 100 + 3 * minutes + (minutes === 7 ? 1e6 : 0)));
  t.ok(Math.abs(rising.perMinute - 3) < 0.2 && rising.low > 2 && rising.high < 4, JSON.stringify(rising));
  const random = createRandom(5);
  const noise = theilSen(line(40, () => 1_000 * random.next()));
  t.ok(noise.low < 0 && noise.high > 0, JSON.stringify(noise));
  const restarted = theilSen([...line(10, () => 500), ...line(10, () => 100, 1)]);
  t.equal(restarted.perMinute, 0);
  t.equal(theilSen(line(1, () => 1)), undefined);
  t.end();
});

t.test("of each window the lowest counts, without the first minutes of each life", (t) => {
  const looks = [...line(8, (minutes) => 10 - minutes), ...line(5, (minutes) => minutes, 1)];
  t.strictSame(
    floors(looks, { perWindow: 3, warmUpMinutes: 2 }).map(({ life, value }) => [life, value]),
    [
      [0, 6],
      [0, 3],
      [1, 2],
    ],
  );
  t.end();
});

t.test("a leak is found, a steady process is not one", (t) => {
  const random = createRandom(6);
  const looks = (perMinute) =>
    Array.from({ length: 120 }, (_, i) => {
      const bytes = 1e8 + (perMinute * i) / 2 + 1e6 * random.next();
      return { life: 0, minutes: i / 2, rssBytes: bytes, heapBytes: bytes };
    });
  t.strictSame(judgeMemory("server", looks(0), { minutes: 60 }).failures, []);
  const leak = judgeMemory("server", looks(1024 * 1024), { minutes: 60 }).failures;
  t.match(leak, [/^server: its heap grows by 1\d\d\d KiB a minute/, /^server: its rss grows/]);
  t.strictSame(judgeMemory("server", looks(1024 * 1024), { minutes: 5 }).failures, [], "too short to tell");
  const stairs = Array.from({ length: 61 }, (_, minutes) => ({
    ...{ life: 0, minutes, heapBytes: 50e6 },
    rssBytes: (minutes < 30 ? 500e6 : 570e6) + 10e6 * (minutes % 3),
  }));
  t.strictSame(judgeMemory("server", stairs, { minutes: 60 }).failures, [], "a step as threads come and go");
  const early = stairs.slice(0, 21).map((one) => ({ ...one, rssBytes: 500e6 + 4e6 * one.minutes }));
  t.strictSame(judgeMemory("server", early, { minutes: 20 }).failures, [], "allocators still settle");
  const huge = [{ life: 0, minutes: 0, rssBytes: 2e9, heapBytes: 1 }];
  t.match(judgeMemory("server", huge, { minutes: 1 }).failures, [/took 2000 MB/]);
  t.end();
});

t.test("sums that are off are told", (t) => {
  const stream = {
    name: "s",
    offered: 5,
    outcomes: { delivered: 3, "dropped: bandwidth": 2 },
    pending: 0,
    thrown: 0,
    corrupt: 0,
  };
  const client = { offered: 5, dropped: 2, expired: 0, delivered: 3, inFlight: 0 };
  t.strictSame(checkClientFrames({ streams: [stream], clients: [client] }), []);
  const lost = { ...stream, outcomes: { delivered: 4 }, pending: 1, corrupt: 2 };
  t.match(checkClientFrames({ streams: [lost], clients: [{ ...client, offered: 4, inFlight: 1 }] }), [
    /5 frames offered, 4 ended, 1 never did/,
    /2 frames arrived whole but changed/,
    /count 4 frames, 5 were offered/,
    /5 of 5 ended, 1 in flight/,
  ]);
  const text = [
    ...["sluice_frames_begun_total 7", "sluice_invalid_observations_total 0", "sluice_sessions 1"],
    ...[
      'sluice_frames_total{outcome="delivered",reason="none"} 4',
      'sluice_frames_total{outcome="expired",reason="a"} 1',
    ],
    ...[
      'sluice_frames_total{outcome="expired",reason="b"} 2',
      'sluice_captured_frames_total{outcome="skipped"} 3',
    ],
    ...[
      'sluice_connections{engine="quiche"} 1',
      'sluice_engine_restarts_total{engine="quiche",reason="hang"} 2',
      'sluice_engine_up{engine="quinn"} 0',
      'sluice_engine_up{engine="quiche"} 1',
      'sluice_traces_total{outcome="failed"} 4',
      'sluice_qlog_events_total{outcome="exported"} 5',
    ],
  ].join("\n");
  const metrics = parseMetrics(text);
  t.match(metrics, {
    begun: 7,
    outcomes: { delivered: 4, expired: 3 },
    sessions: 1,
    connections: 1,
    restarts: 2,
    ...{ engines: ["quiche"], traces: { failed: 4 }, qlog: { exported: 5 } },
  });
  t.equal(metrics.captured.skipped, 3);
  t.strictSame(checkServerFrames(metrics), []);
  t.match(checkServerFrames({ ...metrics, begun: 8, invalid: 1 }), [
    /8 frames begun, 7 ended/,
    /1 observations/,
  ]);
  const look = {
    quic: { connections: 0, connectionIds: 0, sessions: 0 },
    files: 20,
    resources: { Timeout: 3 },
  };
  t.strictSame(checkLeftovers("server", look, { ...look, files: 25 }), []);
  const held = { quic: { ...look.quic, sessions: 1 }, files: 40, resources: { Timeout: 3, UDPWRAP: 30 } };
  t.match(checkLeftovers("server", look, held), [/1 sessions are left/, /40 files, 20/, /33 resources, 3/]);
  t.end();
});

t.test("a server on a full disk says so once and counts", (t) => {
  const full = { trace: "/dev/full", qlog: "qlog" };
  const lost = { exported: 0, dropped: 0, failed: 9 };
  const metrics = { begun: 100, traces: lost, qlog: lost };
  const told = { traces: 1, qlog: 1 };
  t.strictSame(checkFullDisk("server", { metrics, notExported: told }, full), []);
  t.match(checkFullDisk("server", { metrics, notExported: { traces: 2 } }, full), [
    /2 times.*traces/,
    /0 .*qlog/,
  ]);
  const wrong = { begun: 100, traces: { ...lost, failed: 0 }, qlog: { ...lost, exported: 1 } };
  t.match(checkFullDisk("server", { metrics: wrong, notExported: told }, full), [
    /counts traces/,
    /counts qlog/,
  ]);
  const silent = { metrics: wrong, notExported: {} };
  t.strictSame(checkFullDisk("server", silent, { trace: undefined, qlog: undefined }), [], "not tried");
  t.strictSame(
    checkFullDisk("server", { ...silent, metrics: { ...wrong, begun: 9 } }, full),
    [],
    "too short",
  );
  t.end();
});

t.test("a kind of fault that never came is a failure where there was time for it", (t) => {
  const kinds = [{ name: "loss" }, { name: "kill" }];
  const timeline = [{ faults: [{ name: "loss" }] }];
  const check = (seconds, isShort) => checkReached(kinds, timeline, { seconds, isShort });
  t.strictSame(check(59, false), { notReached: ["kill"], failures: [] });
  t.match(check(60, false), { notReached: ["kill"], failures: [/not reached in a campaign of 60 s: kill/] });
  t.match(check(20, true), { failures: [/kill/] });
  t.strictSame(checkReached([{ name: "loss" }], timeline, { seconds: 1e6 }), {
    notReached: [],
    failures: [],
  });
  t.end();
});

t.test("recovery is told by the kind of fault", (t) => {
  const step = (kinds, recoveryMs) => ({
    ...{ faults: kinds.map((name) => ({ name })), recoveryMs },
    calm: { offered: 10, onTime: recoveryMs === null ? 0 : 10 },
  });
  const steps = [step(["loss"], 50), step(["loss"], null), step(["loss"], 70), step(["loss", "mtu"], 9)];
  t.match(sumRecovery(steps), {
    loss: { count: 3, medianMs: 70, maxMs: 70, never: 1, calmShare: 20 / 30 },
    "two at once": { count: 1, medianMs: 9, never: 0, calmShare: 1 },
  });
  t.end();
});
