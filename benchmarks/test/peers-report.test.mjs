import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import t from "tap";
import { resultsOf } from "../peers/commands/loopback-report.mjs";
import { readRecords, textsOf } from "../peers/commands/report.mjs";
import { checkBounds, judge } from "../peers/report/bounds.mjs";
import { composeReport } from "../peers/report/compose.mjs";
import { plotsOf } from "../peers/report/plots.mjs";
import { composeReadmeSection, replaceSection } from "../peers/report/readme-section.mjs";
import { renderPlot } from "../plot/render-plot.mjs";

const at = (path) => fileURLToPath(new URL(`../../${path}`, import.meta.url));

const environment = { date: "2026-01-01", commit: "abc", cpu: "a CPU", cores: 2, node: "v20", kernel: "6" };
const header = { environment, seed: 1, seconds: 1, rounds: 2 };

const figures = (inTime, p99Ms) => ({
  ...{ inTime, usable: inTime, complete: inTime, elementShare: 1, p50Ms: 50, p99Ms },
});
const impairedCell = (name, congestion, round, inTime, p99Ms, bytes = 5_120, loss = 0.05) => ({
  key: `${name} ${congestion} ${round} ${bytes}`,
  ...{ name, congestion, round, bytes, loss, burst: 1, load: 1 },
  variant: congestion === undefined ? name : `${name}-${congestion}`,
  figures: figures(inTime, p99Ms),
  bytesPerFrame: { up: 5_500, down: 100 },
});
const impaired = {
  header,
  cells: [
    impairedCell("sluice", undefined, 0, 1, 70),
    impairedCell("sluice", undefined, 1, 0.99, 90),
    impairedCell("ws", "cubic", 0, 0.1, 3_000),
    impairedCell("ws", "bbr", 0, 0.5, 900),
    impairedCell("sluice", undefined, 0, 0.75, 140, 100_352, 0.02),
  ],
};

const loopbackCell = (name, bytes, round, megabytesPerSecond, p50Ms) => ({
  key: `${name} ${bytes} ${round}`,
  ...{ name, bytes, round, load: 1, about: `${name} it is` },
  results: [1, 8].map((inFlight) => ({
    ...{ inFlight, megabytesPerSecond, framesPerSecond: (megabytesPerSecond * 1e6) / bytes },
    ...{ p50Ms, p99Ms: 2 * p50Ms, cpuSecondsPerGB: 1, cpuSecondsPer1000Frames: 1 },
    rssMB: { client: 100, server: 100 },
    ...{ answered: 100, wrong: 0, damaged: 0, dropped: 0, failed: 0, unanswered: inFlight - 1 },
  })),
});
const echoCell = (name, round, echoesPerSecond) => ({
  ...{ key: `echo ${name} ${round}`, kind: "echo", name, title: name, round, load: 1 },
  ...{ echoesPerSecond, cpuSecondsPer1000: 0.01 },
});
const loopback = {
  header,
  cells: [
    loopbackCell("sluice", 64, 0, 0.2, 0.3),
    loopbackCell("zeromq", 64, 0, 0.6, 0.05),
    // The second round ran on a machine that was half as fast: ratios are taken within a round.
    ...[1, 0.5].flatMap((pace, round) => [
      loopbackCell("sluice-reliable", 401_408, round, 100 * pace, 4),
      loopbackCell("deno", 401_408, round, 125 * pace, 3),
      echoCell("udp", round, 100_000 * pace),
      echoCell("quiche", round, 30_000 * pace),
    ]),
    { key: "grpc 64", name: "grpc", bytes: 64, round: 0, load: 1, error: "it fell over" },
  ],
};

t.test("bounds are judged by medians, and by ratios within a round", async (t) => {
  const rows = checkBounds({ bounds: impaired, loopback });
  const find = (part) => rows.find(({ title }) => title.includes(part));
  t.match(find("5,120 B at 30/s"), {
    ours: "99.5 %",
    best: "50.0 % (WebSocket (bbr))",
    verdict: "must reached, aim MISSED",
  });
  t.match(find("the same, p99"), {
    ours: "80 ms",
    best: "900 ms (WebSocket (bbr))",
    verdict: "both reached",
  });
  t.match(find("100,352 B"), { ours: "75.0 %", best: "–", verdict: "must reached, aim MISSED" });
  t.match(find("echo"), { ours: "0.30 x", verdict: "MISSED" });
  t.match(find("reliable"), { ours: "0.80 x", verdict: "must reached, aim MISSED" });
  t.match(find("64 B on loopback"), { ours: "0.30 ms", best: "0.05 ms (ZeroMQ)" });
  t.match(find("correct answers"), { ours: "not measured", verdict: "–" });
  t.equal(judge(1, { must: 2, aim: 1, isMore: false }), "both reached");
  t.equal(judge(3, { must: 2, aim: 1, isMore: false }), "MISSED");
});

t.test("the report says where others are faster, what failed and what never came", async (t) => {
  const text = composeReport({ impaired, loopback }, ["impaired-5120"]);
  t.match(text, /64 B, 1 in flight \| Sluice: 3,130\/s \| ZeroMQ: 9,380\/s \| 3 \| 1/);
  t.match(text, /grpc 64: it fell over/);
  t.match(text, /7 unanswered of 100/);
  t.match(text, "![impaired-5120](peers/impaired-5120.svg)");
  t.notMatch(text, "loopback-8.svg", "a plot that there is not is not shown");
  t.match(text, "`zeromq`: zeromq it is");
  t.equal(resultsOf(loopback.cells, { name: "grpc", bytes: 64, inFlight: 1 }).length, 0);
});

t.test("plots have a series for each system and are drawn", async (t) => {
  const plots = plotsOf({ impaired, loopback });
  t.same(Object.keys(plots).sort(), ["impaired-100352", "impaired-5120", "loopback-1", "loopback-8"]);
  const names = plots["impaired-5120"].layer[0].data.values.map(({ name }) => name);
  t.same([...new Set(names)], ["Sluice", "WebSocket (cubic)", "WebSocket (bbr)"]);
  t.match((await renderPlot(plots["loopback-8"])).svg, /^<svg/);
});

t.test("the README takes each system once, and only what stands between its marks changes", async (t) => {
  const section = composeReadmeSection(impaired);
  t.match(section, "| WebSocket (bbr) | 50.0 % | 900 ms |");
  t.notMatch(section, "cubic");
  t.ok(section.indexOf("| Sluice | 99.5 % | 80 ms |") < section.indexOf("WebSocket"));
  const readme = "before\n<!-- peers: begin -->\nold\n<!-- peers: end -->\nbehind\n";
  const replaced = replaceSection(readme, section);
  t.ok(replaced.startsWith("before\n<!-- peers: begin -->\n**Beside"));
  t.ok(replaced.endsWith("|\n<!-- peers: end -->\nbehind\n"));
  t.equal(replaceSection(replaced, ""), "before\n<!-- peers: begin -->\n<!-- peers: end -->\nbehind\n");
  t.throws(() => replaceSection("nothing", section), RangeError);
});

t.test("report, profile and README are what the recorded lines say", async (t) => {
  const records = readRecords();
  for (const [path, text] of Object.entries(textsOf(records)))
    t.equal(readFileSync(at(path), "utf8"), text, `${path}: run node benchmarks/peers.mjs report`);
  const { profile: _, "profile-before": __, ...measured } = records;
  for (const name of Object.keys(plotsOf(measured)))
    t.ok(existsSync(at(`benchmarks/results/peers/${name}.svg`)), `${name}.svg is there`);
});
