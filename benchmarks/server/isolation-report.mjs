// What the report says of bad clients: the windows, and the changes that they are judged by.
import { median, quantile } from "../accuracy/quantile.mjs";
import { formatTable, percent } from "../tables.mjs";
import { badBehaviours, elsewhere, floodFactor, fpsLimit, sides } from "./isolation.mjs";
import { steady } from "./measures.mjs";
import { changeOfQuantile } from "./pooled-change.mjs";
import { ms, verdict } from "./report-cells.mjs";
import { workloads } from "./workloads.mjs";

/** p99 beside a bad client may change by less. */
const maxChange = 0.2;
/** What a bad client tells how often it did it. */
const doneBy = { flood: "frames/s", die: "lives/s" };

const allOf = ({ latenciesMs }) => latenciesMs;
/** The frames that no slow moment of the machine touched. */
function clearOf({ latenciesMs, touched }) {
  const skipped = new Set(touched);
  return latenciesMs.filter((_, i) => !skipped.has(i));
}
const isPaceKnown = (windows) => windows.every(({ touched }) => touched !== undefined);
const p99Of = (windows, framesOf) => quantile(windows.flatMap(framesOf), 0.99);

function didCell(behaviour, windows) {
  const unit = doneBy[behaviour];
  const rates = windows.flatMap(({ badPerSecond = [] }) => badPerSecond);
  if (unit === undefined || rates.length === 0) return "";
  const rate = median(rates);
  return `${rate < 100 ? rate.toFixed(1) : rate.toFixed(0)} ${unit}`;
}

function windowRow(workload, who, windows) {
  const sum = (field) => windows.reduce((total, window) => total + window[field], 0);
  const latencies = windows.flatMap(allOf);
  const behaviour = badBehaviours.find((each) => who.startsWith(each));
  return [
    ...[workload, who, didCell(behaviour, windows), `${sum("delivered")} of ${sum("offered")}`],
    `${ms(quantile(latencies, 0.5))} / ${ms(quantile(latencies, 0.99))}`,
    isPaceKnown(windows) ? ms(p99Of(windows, clearOf)) : "",
    percent(median(windows.map(({ serverCpuShare }) => serverCpuShare))),
  ];
}

/** How p99 differs between windows of the same rounds, over the frames that `framesOf` takes of each. */
function changeCells(windows, base, isJudged, framesOf) {
  const without = new Map(base.map((window) => [window.round, framesOf(window)]));
  const rounds = windows
    .filter(({ round }) => without.has(round))
    .map((window) => ({ without: without.get(window.round), beside: framesOf(window) }));
  const { change, low, high } = changeOfQuantile(rounds, 0.99);
  const text = `${percent(change)} (${percent(low)} to ${percent(high)})`;
  if (!isJudged) return [text, "control"];
  // Where good clients miss their deadlines without it as well, the p99 is the deadline, whoever is beside them.
  const isMeasured = p99Of(base, framesOf) < steady.deadlineMs;
  return [text, isMeasured ? verdict(change < maxChange) : "the machine was too busy"];
}

function changeRows(workload, windowsOf) {
  return badBehaviours.flatMap((behaviour) => {
    const [beside, control, alone] = [behaviour, elsewhere(behaviour), "alone"].map(windowsOf);
    return [
      { name: "against alone", windows: beside, base: alone, isJudged: true },
      {
        name: "against the same elsewhere: the server's part",
        windows: beside,
        base: control,
        isJudged: true,
      },
      { name: "elsewhere against alone: the machine's part", windows: control, base: alone, isJudged: false },
    ].flatMap(({ name, windows, base, isJudged }) => {
      if (windows.length === 0 || base.length === 0) return [];
      const cells = (framesOf) => changeCells(windows, base, isJudged, framesOf);
      const clear = isPaceKnown([...windows, ...base]) ? cells(clearOf) : ["", ""];
      return [[workload, behaviour, name, ...cells(allOf), ...clear]];
    });
  });
}

/** @param windows of the isolation, of all workloads */
export function formatIsolation(windows, run) {
  const of = (workload) => (who) =>
    windows.filter((window) => window.workload === workload && window.who === who);
  const rows = (rowsOf) => Object.keys(workloads).flatMap((workload) => rowsOf(workload, of(workload)));
  const windowRows = rows((workload, windowsOf) =>
    sides.flatMap((who) => {
      const own = windowsOf(who);
      return own.length === 0 ? [] : [windowRow(workload, who, own)];
    }),
  );
  return `## Isolation

Clients at ${steady.framesPerSecond} frames a second each, of a server that allows each session ${fpsLimit}, beside one that sends and then
reads nothing (stall), four sessions that each send ${floodFactor} times what is allowed, acknowledge nothing and come back when they are
closed (flood), or one that dies every 0.3 s and comes back (die). A bad client has what the others leave of the processors
(\`SCHED_IDLE\`), for it stands for another machine; what it got done of its kind is in the table. So does the second, otherwise idle
server that the same bad client is a client of where it is \`elsewhere\`: what changes there is the machine's part. The last column
is the processor time of the good clients' server, of one core.

${formatTable(["workload", "beside", "it did", "delivered", "p50 / p99 ms", "clear p99 ms", "server's processor time"], windowRows)}

The frames of all ${run.isolationRounds} windows of ${run.seconds} s are pooled, one without a result counts as ${steady.deadlineMs} ms, and p99 may change by less
than ${percent(maxChange)}, against what it is alone, and against what it is beside the same bad client elsewhere: what the server does for a bad client
is in both, what the bad client itself takes of this machine only in the first. In brackets the 95 % bootstrap interval over the rounds.

${formatTable(["workload", "bad client", "compared", "change of p99 (95 % interval)", "bound", "change of clear p99", "bound"], rows(changeRows))}
`;
}
