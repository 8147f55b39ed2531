// What the report of the server says of its windows.
import t from "tap";
import { formatReport } from "../server/report.mjs";

const environment = { date: "d", commit: "c", node: "v", cpu: "p", cores: 2, kernel: "k" };
const run = {
  ...{ rounds: 5, seconds: 4, throughputRounds: 4, throughputSeconds: 1, isolationRounds: 12, note: "" },
  ...{ loadBefore: [1], loadAfter: [2] },
};

function throughputWindows(shares) {
  return shares.flatMap((share, i) => {
    // The machine is of another pace in each round.
    const pace = 1 + i / 10;
    const of = { measure: "throughput", workload: "cut", round: i + 1 };
    const cpu = { serverCpuUs: 320 / pace, busiestThreadUs: 200 / pace, generatorCpuUs: 50 / pace };
    return [
      { ...of, who: "server", framesPerSecond: share * 5_000 * pace, batchFrames: 16, failed: 0, ...cpu },
      {
        ...{ ...of, who: "engine", framesPerSecond: 5_000 * pace, batchFrames: 16 },
        ...{ engineCpuUs: 210 / pace, busiestThreadUs: 190 / pace },
      },
    ];
  });
}

const rowOf = (report, start = "| cut") => report.split("\n").find((line) => line.startsWith(start)) ?? "";

t.test("shares are taken within a round, and their median decides", async (t) => {
  const row = rowOf(formatReport({ environment, run, windows: throughputWindows([0.91, 0.85, 0.93, 0.95]) }));
  t.match(row, "93.0 % (91.0 % to 95.0 %) | reached");
  t.match(row, "| 95.0 % |", "the network's thread alone by that in the server");
  t.match(row, "| 291 / 182 / 45 | 191 / 173 |");
});

t.test("what is less than asked for is said to be missed", async (t) => {
  const row = rowOf(formatReport({ environment, run, windows: throughputWindows([0.89, 0.85, 0.88, 0.95]) }));
  t.match(row, "| MISSED |");
});

const isolationWindow = (who, factor, more = {}) => ({
  ...{ measure: "isolation", workload: "cut", round: 1, who, delivered: 200, offered: 200, touched: [] },
  ...{
    serverCpuShare: 0.25,
    latenciesMs: Array.from({ length: 200 }, (_, i) => factor * (1 + i / 100)),
    ...more,
  },
});

t.test(
  "a bad client is judged against nobody and against the same one elsewhere, which is not judged",
  async (t) => {
    const windows = [
      ...[isolationWindow("alone", 1), isolationWindow("flood", 2, { badPerSecond: 1_790.4 })],
      ...[isolationWindow("flood-elsewhere", 1.8), isolationWindow("die", 1.1, { badPerSecond: 2.51 })],
      isolationWindow("die-elsewhere", 0.5),
    ];
    const report = formatReport({ environment, run, windows });
    t.match(rowOf(report, "| cut | flood | 1790 frames/s |"), "| 200 of 200 | 4.0 / 6.0 | 6.0 | 25.0 % |");
    t.match(rowOf(report, "| cut | die | 2.5 lives/s |"), "| 2.2 / 3.3 |");
    t.match(rowOf(report, "| cut | flood | against alone"), /100\.0 % .*MISSED.*MISSED/);
    t.match(rowOf(report, "| cut | flood | against the same elsewhere"), /11\.1 % .*reached.*reached/);
    t.match(rowOf(report, "| cut | flood | elsewhere against alone"), /80\.0 % .*control.*control/);
    t.match(rowOf(report, "| cut | die | against alone"), /10\.0 % .*reached.*reached/);
    t.match(rowOf(report, "| cut | die | against the same elsewhere"), /120\.0 % .*MISSED.*MISSED/);
    t.equal(rowOf(report, "| cut | stall "), "", "what was not measured has no row");
  },
);

t.test("slow moments are left out of the clear changes only", async (t) => {
  const touched = Array.from({ length: 100 }, (_, i) => 100 + i);
  const windows = [isolationWindow("alone", 1), isolationWindow("die", 1.5, { touched })];
  const row = rowOf(formatReport({ environment, run, windows }), "| cut | die | against alone");
  t.match(row, /50\.0 % .*MISSED \| 0\.2 % .*reached/);
});

t.test("nothing is judged where good clients miss their deadlines anyway", async (t) => {
  const late = { latenciesMs: Array.from({ length: 200 }, () => 500) };
  const windows = [isolationWindow("alone", 1, late), isolationWindow("die", 1, late)];
  const row = rowOf(formatReport({ environment, run, windows }), "| cut | die | against alone");
  t.match(row, /too busy.*too busy/);
});

const latencyWindow = (who, p99Ms, clearP99Ms) => ({
  ...{ measure: "latency", workload: "cut", round: 1, who, delivered: 700, offered: 720, slowShare: 0.06 },
  ...{ p50Ms: 2, p99Ms, clearP99Ms },
});

t.test("the latency is judged over the engine's own time, the control beside it is not", async (t) => {
  const engine = { measure: "latency", workload: "cut", round: 1, who: "engine", p50Ms: 0.5, p99Ms: 1.5 };
  const windows = [latencyWindow("server", 40.5, 9.5), latencyWindow("bare", 30.5, 4.5), engine];
  const report = formatReport({ environment, run, windows });
  t.match(
    rowOf(report, "| cut | Sluice "),
    "| 700 of 720 | 2.0 / 40.5 | 0.5 / 1.5 | 40.0 ms | MISSED | 6.0 % | 9.0 ms | reached |",
  );
  t.match(rowOf(report, "| cut | bare sockets "), "| 30.0 ms | control | 6.0 % | 4.0 ms | control |");
  const before = formatReport({ environment, run, windows: windows.filter(({ who }) => who !== "bare") });
  t.equal(rowOf(before, "| cut | bare sockets "), "", "records of before have no control");
});
