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

const isolationWindow = (who, factor) => ({
  ...{ measure: "isolation", workload: "cut", round: 1, who, delivered: 200, offered: 200, touched: [] },
  latenciesMs: Array.from({ length: 200 }, (_, i) => factor * (1 + i / 100)),
});

t.test("bad clients are judged by what they cost, controls are not judged", async (t) => {
  const windows = [
    ...[isolationWindow("alone", 1), isolationWindow("flood", 2), isolationWindow("die", 1.1)],
    ...[isolationWindow("elsewhere", 1.5), isolationWindow("allowed", 3)],
  ];
  const report = formatReport({ environment, run, windows });
  t.match(rowOf(report, "| cut | flood "), /100\.0 % .*MISSED.*MISSED/);
  t.match(rowOf(report, "| cut | die "), /10\.0 % .*reached.*reached/);
  t.match(rowOf(report, "| cut | elsewhere "), /50\.0 % .*control.*control/);
  t.match(rowOf(report, "| cut | allowed "), /200\.0 % .*control.*control/);
  t.equal(rowOf(report, "| cut | stall "), "", "what was not measured has no row, as in records of before");
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
