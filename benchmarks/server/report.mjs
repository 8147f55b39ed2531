import { median, quantile } from "../accuracy/quantile.mjs";
import { slowMomentsText } from "../pace/slow-moments.mjs";
import { formatTable, percent } from "../tables.mjs";
import { formatIsolation } from "./isolation-report.mjs";
import { steady } from "./measures.mjs";
import { ms, verdict } from "./report-cells.mjs";
import { workloads } from "./workloads.mjs";

/** What a server is to reach; what is asked for beside bad clients is in isolation-report.mjs. */
const bounds = { throughputShare: 0.9, latencyOverEngineMs: 25 };

/** The values of one side by round. */
function byRound(windows, who, field) {
  return new Map(
    windows.filter((window) => window.who === who).map((window) => [window.round, window[field]]),
  );
}

/** Compared within each round, then the median. */
function perRound(windows, who, other, field, compare) {
  const others = byRound(windows, other, field);
  return [...byRound(windows, who, field)].map(([round, value]) => compare(value, others.get(round)));
}

/**
 * What the server would do on so many cores of its own, without the load's processor time: bounded by all of its threads
 * together, and by its busiest one.
 */
function reckonAlone({ serverCpuUs, busiestThreadUs }, cores) {
  return Math.min((cores * 1e6) / serverCpuUs, 1e6 / busiestThreadUs);
}

const ratio = (value, other) => value / other;

function throughputRow(workload, windows, { cores, isApart }) {
  const shares = perRound(windows, "server", "engine", "framesPerSecond", ratio);
  // The network's thread is the busiest one of both: what it costs in the server beyond what it costs alone.
  const threadShares = perRound(windows, "engine", "server", "busiestThreadUs", ratio);
  const rate = (who) => median([...byRound(windows, who, "framesPerSecond").values()]).toFixed(0);
  const share = median(shares);
  const engines = byRound(windows, "engine", "framesPerSecond");
  const servers = windows.filter(({ who }) => who === "server");
  const cpuOf = (who, field) => median([...byRound(windows, who, field).values()]).toFixed(0);
  const alone = servers.map((window) => reckonAlone(window, cores) / engines.get(window.round));
  const range = [0.25, 0.75].map((at) => percent(quantile(shares, at))).join(" to ");
  return [
    ...[workload, rate("server"), rate("engine")],
    median([...byRound(windows, "server", "batchFrames").values()]).toFixed(1),
    `${percent(share)} (${range})`,
    verdict(share >= bounds.throughputShare),
    `${cpuOf("server", "serverCpuUs")} / ${cpuOf("server", "busiestThreadUs")} / ${cpuOf("server", "generatorCpuUs")}`,
    `${cpuOf("engine", "engineCpuUs")} / ${cpuOf("engine", "busiestThreadUs")}`,
    percent(median(threadShares)),
    isApart ? "" : percent(median(alone)),
  ];
}

/** One row for the server, and one that is not judged for the engine behind bare sockets. */
function latencyRows(workload, windows) {
  const side = (who, field) => median([...byRound(windows, who, field).values()]);
  const own = [ms(side("engine", "p50Ms")), ms(side("engine", "p99Ms"))].join(" / ");
  const rowOf = (who, name, judge) => {
    const sum = (field) => [...byRound(windows, who, field).values()].reduce((a, b) => a + b, 0);
    const cells = (field) => {
      const over = side(who, field) - side("engine", "p50Ms");
      return Number.isNaN(over) ? ["", ""] : [`${ms(over)} ms`, judge(over)];
    };
    return [
      ...[workload, name, `${sum("delivered")} of ${sum("offered")}`],
      `${ms(side(who, "p50Ms"))} / ${ms(side(who, "p99Ms"))}`,
      ...[own, ...cells("p99Ms")],
      Number.isNaN(side(who, "slowShare")) ? "" : percent(side(who, "slowShare")),
      ...cells("clearP99Ms"),
    ];
  };
  return [
    rowOf("server", "Sluice", (over) => verdict(over <= bounds.latencyOverEngineMs)),
    ...(windows.some(({ who }) => who === "bare") ? [rowOf("bare", "bare sockets", () => "control")] : []),
  ];
}

/** How many cores a list as taskset takes it names. */
function countCpus(list, all) {
  if (list === undefined) return all;
  return list.split(",").reduce((sum, part) => {
    const [first, last = first] = part.split("-").map(Number);
    return sum + last - first + 1;
  }, 0);
}

export function formatReport({ environment, run, windows }) {
  const of = (measure, workload) =>
    windows.filter((window) => window.measure === measure && window.workload === workload);
  const rows = (measure, rowsOf) =>
    Object.keys(workloads).flatMap((workload) => {
      const some = of(measure, workload);
      return some.length === 0 ? [] : rowsOf(workload, some);
    });
  const parts = [];
  const isApart = run.clientCpus !== undefined;
  const layout = { cores: countCpus(run.serverCpus, environment.cores), isApart };
  const throughput = rows("throughput", (workload, some) => [throughputRow(workload, some, layout)]);
  if (throughput.length > 0)
    parts.push(`## Throughput

Frames a second of the whole server and of the engine called in a loop with batches of the same size, two under way in
both; what is asked for is ${percent(bounds.throughputShare)}. ${run.throughputRounds} rounds with windows of ${run.throughputSeconds} s; shares are of
one round, in brackets their quartiles. ${
      isApart
        ? `The server and the engine alone had cores ${run.serverCpus ?? "of their choice"}, the load ${run.clientCpus}.`
        : `The load runs on the server's cores and takes from them what the third figure of the processor times says, which
the engine alone does not have to share. The last column is reckoned, not measured: what the server's own processor time would allow
without the load.`
    } The network's thread is the busiest one of both: the last share but one is its processor time alone by that in the server,
and says what the server's other work costs it through caches and memory.

${formatTable(["workload", "server", "engine alone", "frames in a batch", "server / engine", "bound", "processor us a frame: server / its busiest thread / load", "engine alone / its busiest thread", "busiest thread alone / in the server", "reckoned without the load"], throughput)}
`);
  const latency = rows("latency", latencyRows);
  if (latency.length > 0)
    parts.push(`## Latency

${steady.count} clients at ${steady.framesPerSecond} frames a second each, from the capture to the result, through QUIC on loopback; p99
may be ${bounds.latencyOverEngineMs} ms over what the engine alone takes for a frame (its p50). The control sends the same frames at the same
ticks through bare UDP sockets to the engine, without decoding, a session, encryption or anything sent again: what it takes longer than
the engine alone is the machine's. ${slowMomentsText}

${formatTable(["workload", "through", "delivered", "p50 / p99 ms", "engine alone p50 / p99 ms", "p99 over the engine", "bound", "slow time", "clear p99 over the engine", "bound"], latency)}
`);
  const isolation = rows("isolation", (_, some) => some);
  if (isolation.length > 0) parts.push(formatIsolation(isolation, run));
  return `# Server benchmark

Written by \`node benchmarks/server.mjs --record\`; how it measures is in \`benchmarks/README.md\`.

- ${environment.date}, commit ${environment.commit}
- Node ${environment.node}, ${environment.cpu}, ${environment.cores} cores, Linux ${environment.kernel}
- Load average before: ${run.loadBefore.join(" ")}, after: ${run.loadAfter.join(" ")} (the benchmark's own included)
- ${run.rounds} rounds of the latency, ${run.isolationRounds} of the isolation, windows of ${run.seconds} s; medians
- Workloads: ${Object.entries(workloads)
    .map(([name, what]) => `\`${name}\`: ${what}`)
    .join("; ")}${run.note ? `\n- ${run.note}` : ""}

${parts.join("\n")}`;
}
