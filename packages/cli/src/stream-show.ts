import { createClientMetrics, serveOperations } from "@sluice/metrics";
import type { CliContext } from "./cli-context.js";
import { ExitCode } from "./exit-codes.js";
import { parseHostPort } from "./host-port.js";
import type { StreamHooks, StreamOptions, StreamReport } from "./stream-api.js";
import {
  formatLive,
  formatSetup,
  formatSilent,
  formatSummary,
  formatSwitch,
  formatWaiting,
} from "./stream-report.js";
import { runStream } from "./stream-run.js";

/** Without a terminal a line is printed only so often, in calls that come twice a second. */
const quietCalls = 10;

/** Runs a stream with its live line, prints the result and sets the exit code. */
export async function showStream(
  options: StreamOptions,
  isJson: boolean,
  context: CliContext,
  { onStart, observeSession }: Pick<StreamHooks, "onStart" | "observeSession"> = {},
): Promise<StreamReport> {
  const { stdout, stderr, signal, isTty } = context;
  let calls = 0;
  const say = (line: string) => stderr.write(`${isTty ? "\r\u001b[K" : ""}${line}\n`);
  let wasOpen = false;
  const served = await openMetrics(options.metrics);
  if (served) say(`metrics at ${served.operations.url}/metrics`);
  const metrics = served?.metrics;
  const running = runStream(options, {
    signal,
    ...(observeSession ? { observeSession } : {}),
    onStart(setup, sender) {
      metrics?.watchPath(() => sender.figures());
      if (sender.strategy) metrics?.watchStrategy(sender.strategy);
      stderr.write(`${formatSetup(setup)}\n`);
      onStart?.(setup, sender);
    },
    ...(metrics ? { onFrame: metrics.observeFrame } : {}),
    onConnection(state) {
      if (state.status === "waiting") say(formatWaiting(state));
      if (state.status === "silent") say(formatSilent(state));
      if (state.status !== "open") return;
      if (wasOpen)
        say(state.isNew ? "a new session is open" : "the server is heard again, the session goes on");
      wasOpen = true;
    },
    onSwitch(change) {
      metrics?.observeSwitch(change);
      say(formatSwitch(change));
    },
    onNotice: say,
    onProgress(summary) {
      if (isTty) stderr.write(`\r${formatLive(summary)}\u001b[K`);
      else if (++calls % quietCalls === 0) stderr.write(`${formatLive(summary)}\n`);
    },
  });
  const report = await running.finally(() => served?.operations.close());
  if (isTty) stderr.write("\r\u001b[K");
  stdout.write(isJson ? `${JSON.stringify(flatten(report))}\n` : `${formatSummary(report)}\n`);
  const fault = faultOf(report, signal.aborted);
  if (fault !== undefined) {
    stderr.write(`sluice: ${fault}\n`);
    context.exitWith(ExitCode.sessionLost);
  }
  return report;
}

/** Metrics of a client, with what serves them; nothing is measured for nobody. */
async function openMetrics(wanted: string | undefined) {
  if (wanted === undefined || wanted === "off") return undefined;
  const { host, port } = parseHostPort(wanted, "--metrics");
  const metrics = createClientMetrics();
  return { metrics, operations: await serveOperations({ host, port, metrics, isReady: () => true }) };
}

function flatten({ setup, summary, outputs, phases, sessions, lost }: StreamReport): object {
  return {
    ...summary,
    ...setup,
    ...(outputs ? { outputs } : {}),
    ...(phases ? { phases } : {}),
    sessions,
    ...(lost ? { lost: { code: lost.code, reason: lost.reason } } : {}),
  };
}

/** Why a run is no success, although it ended in order. */
function faultOf({ summary, lost }: StreamReport, wasInterrupted: boolean): string | undefined {
  if (lost) return `the session was lost: ${lost.reason} (code ${lost.code})`;
  if (summary.corrupt > 0) return `${summary.corrupt} frames arrived whole but not as they were sent`;
  if (summary.admitted > 0 && summary.delivered === 0 && !wasInterrupted) return "no frame came back";
  return undefined;
}
