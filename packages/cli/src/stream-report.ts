import type { ConnectionState, StrategySwitch } from "@sluice/client";
import { formatSpec } from "./format-spec.js";
import type { StrategyPhase } from "./strategy-phases.js";
import type { StreamReport, StreamSetup } from "./stream-api.js";
import { formatOutputs } from "./stream-outputs.js";
import type { StreamSummary } from "./stream-statistics.js";

/** One line that is written over itself while a run goes on. */
export function formatLive(summary: StreamSummary): string {
  const { offered, seconds, latencyMs, delivered, onTime, concealedFrames, droppedAtGate, accuracy } =
    summary;
  const ended = Math.max(1, summary.admitted);
  const parts = [
    `${offered} frames`,
    `${(seconds > 0 ? delivered / seconds : 0).toFixed(1)} fps`,
    `p50 ${latencyMs.p50.toFixed(0)} ms p99 ${latencyMs.p99.toFixed(0)} ms`,
    `on time ${percent(onTime / ended)}`,
    `concealed ${concealedFrames}`,
    `dropped ${droppedAtGate}`,
    ...(accuracy.top1 === null ? [] : [`top-1 ${percent(accuracy.top1)}`]),
    `${(seconds > 0 ? summary.bytesSent / seconds / 1_000 : 0).toFixed(0)} kB/s`,
  ];
  return parts.join(" | ");
}

export function formatSetup(setup: StreamSetup): string {
  const { model, split, strategy, codec, mode, deadlineMs, fps } = setup;
  if (setup.candidates) {
    const rows = setup.candidates.map(formatCandidate);
    return [`${model}: ${fps} frames per second within ${deadlineMs} ms, by whichever of`, ...rows].join(
      "\n",
    );
  }
  if (strategy === "client") return `${model}: all of it here, nothing is sent, ${fps} frames per second`;
  const cut = split === "" ? (model === "sink" ? "the tensor" : "its input") : `cut at ${split}`;
  return `${model}: ${cut} ${formatSpec(setup)}, ${codec}, ${mode}, ${fps} frames per second within ${deadlineMs} ms`;
}

function formatCandidate(candidate: NonNullable<StreamSetup["candidates"]>[number]): string {
  const { name, clientMs, encodeMs, bytes, serverMs } = candidate;
  const sent = bytes > 0 ? `, ${(bytes / 1_000).toFixed(1)} kB in ${encodeMs.toFixed(1)} ms` : "";
  const there = bytes > 0 ? `, about ${serverMs.toFixed(1)} ms there` : "";
  return `  ${name}: ${clientMs.toFixed(1)} ms here${sent}${there}`;
}

export function formatSwitch({ from, to, reason }: StrategySwitch): string {
  return from === undefined ? `by ${to}` : `by ${to}: ${reason}`;
}

/** What is said while there is no session. */
export function formatWaiting({ cause, delayMs }: Extract<ConnectionState, { status: "waiting" }>): string {
  const code = cause.code === 0 ? "" : ` (code ${cause.code})`;
  return `no session: ${cause.reason}${code}; trying again in ${Math.round(delayMs)} ms`;
}

/** What is said while nothing is heard of the session. */
export function formatSilent({ attempts, cause }: Extract<ConnectionState, { status: "silent" }>): string {
  const failed = attempts === 0 ? "" : ` (${attempts} so far; ${cause.reason})`;
  return `nothing is heard of the server; trying another session beside this one${failed}`;
}

/** The figures of a run as a table for people. */
export function formatSummary({ summary, setup, outputs, phases, sessions, lost }: StreamReport): string {
  const { latencyMs, stagesMs, accuracy, admitted, offered, delivered } = summary;
  const rows: (readonly [string, string])[] = [
    ["frames offered", String(offered)],
    ["dropped at the gate", withReasons(summary.droppedAtGate, summary.dropReasons)],
    ["admitted", String(admitted)],
    ["expired", withReasons(summary.expired, summary.expiryReasons)],
    ["delivered", String(delivered)],
    [
      `on time (${setup.deadlineMs} ms)`,
      `${summary.onTime}  ${percent(summary.onTime / Math.max(1, offered))} of offered`,
    ],
    [
      "concealed",
      `${summary.concealedFrames} frames  ${percent(summary.concealedFraction)} of their elements`,
    ],
    [
      "latency p50 / p95 / p99 / max",
      `${latencyMs.p50} / ${latencyMs.p95} / ${latencyMs.p99} / ${latencyMs.max} ms`,
    ],
  ];
  if (summary.slicesRecovered > 0) rows.push(["recovered", `${summary.slicesRecovered} slices`]);
  if (stagesMs) rows.push(["mean of each stage", formatStages(stagesMs)]);
  if (summary.rttMs !== null) rows.push(["round trip", `${summary.rttMs} ms`]);
  if (accuracy.top1 !== null) rows.push(["top-1 accuracy", `${percent(accuracy.top1)} of ${accuracy.n}`]);
  if (outputs) rows.push(["outputs", formatOutputs(outputs)]);
  if (summary.bytesSent > 0) {
    rows.push(["sent", `${(summary.bytesSent / 1_000).toFixed(0)} kB in ${summary.seconds.toFixed(1)} s`]);
    rows.push(["goodput", `${(summary.goodputBitsPerSecond / 1e6).toFixed(2)} Mbit/s`]);
  }
  if (summary.corrupt > 0) rows.push(["CORRUPT", `${summary.corrupt} frames arrived whole but changed`]);
  if (sessions > 1) rows.push(["sessions", String(sessions)]);
  if (lost) rows.push(["SESSION LOST", `code ${lost.code}: ${lost.reason}`]);
  const width = Math.max(...rows.map(([name]) => name.length));
  const lines = rows.map(([name, value]) => `  ${name.padEnd(width)}  ${value}`);
  return [...lines, ...(phases ?? []).map(formatPhase)].join("\n");
}

function formatPhase(phase: StrategyPhase): string {
  const { fromSeconds, candidate, offered, onTime, rescued, p50Ms, reason } = phase;
  const here = rescued === 0 ? "" : `, ${rescued} by work here instead`;
  const p50 = p50Ms === null ? "" : `, p50 ${p50Ms} ms`;
  return `  from ${fromSeconds.toFixed(2)} s by ${candidate}: ${onTime} of ${offered} on time${here}${p50}; ${reason}`;
}

function formatStages(stages: NonNullable<StreamSummary["stagesMs"]>): string {
  return Object.entries(stages)
    .filter(([, ms]) => ms >= 0.01)
    .map(([name, ms]) => `${name === "produce" ? "client half" : name} ${ms}`)
    .join(", ")
    .concat(" ms");
}

function withReasons(count: number, reasons: Readonly<Record<string, number>>): string {
  const parts = Object.entries(reasons).map(([reason, n]) => `${reason} ${n}`);
  return parts.length === 0 ? String(count) : `${count}  (${parts.join(", ")})`;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}
