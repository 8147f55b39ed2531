// What the server benchmark says of bad clients and of the controls beside them.
import t from "tap";
import { formatReport } from "../server/report.mjs";

const window = (who, factor) => ({
  ...{ measure: "isolation", workload: "cut", round: 1, who, delivered: 200, offered: 200, touched: [] },
  latenciesMs: Array.from({ length: 200 }, (_, i) => factor * (1 + i / 100)),
});
const environment = { date: "", commit: "", node: "", cpu: "", cores: 2, kernel: "" };
const run = { rounds: 1, isolationRounds: 1, seconds: 1, note: "", loadBefore: [0], loadAfter: [0] };
const rowOf = (report, who) => report.split("\n").find((line) => line.startsWith(`| cut | ${who} `)) ?? "";

t.test("bad clients are judged by what they cost, controls are not judged", async (t) => {
  const windows = [
    ...[window("alone", 1), window("flood", 2), window("die", 1.1)],
    ...[window("elsewhere", 1.5), window("allowed", 3)],
  ];
  const report = formatReport({ environment, run, windows });
  t.match(rowOf(report, "flood"), /100\.0 % .*MISSED.*MISSED/);
  t.match(rowOf(report, "die"), /10\.0 % .*reached.*reached/);
  t.match(rowOf(report, "elsewhere"), /50\.0 % .*control.*control/);
  t.match(rowOf(report, "allowed"), /200\.0 % .*control.*control/);
  t.equal(rowOf(report, "stall"), "", "what was not measured has no row, as in records of before");
});
