// `sluice serve` as anybody starts it, but for the doors of inside-server.mjs, and what it says and counts.
import { spawn } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { createCaller } from "./channel.mjs";

const sluice = fileURLToPath(new URL("../../packages/cli/bin/sluice.js", import.meta.url));
const doors = new URL("./inside-server.mjs", import.meta.url).href;
/** pino's. */
const errorLevel = 50;
/** Errors that faults of this campaign are to leave in the log. */
const expectedErrors = [
  /^the QUIC worker died/,
  /^cannot listen again yet/,
  /^capturing ends: the disk takes no more/,
  /^the model failed on a frame/,
];
const keptLines = 30;

/**
 * Resolves when it listens.
 * @param {{ port: number, certFile: string, keyFile: string, captures: string, engine: string, model?: string,
 *   full: { trace?: string, qlog?: string } }} options
 * @throws where it ends before
 */
export async function startServer({ port, certFile, keyFile, captures, engine, full, model }) {
  const args = [
    ...["serve", "--listen", `127.0.0.1:${port}`, "--metrics", "127.0.0.1:0", "--engine", engine, "--json"],
    ...[
      "--model",
      "fashion",
      "--model",
      "sink",
      ...(model ? ["--model", model] : []),
      "--cert",
      certFile,
      "--key",
      keyFile,
    ],
    ...["--capture", captures, "--capture-frames", "every:n=5"],
    ...(full.trace ? ["--trace", full.trace, "--trace-sample", "all"] : []),
    ...(full.qlog ? ["--qlog", full.qlog] : []),
  ];
  const child = spawn(process.execPath, ["--expose-gc", "--import", doors, sluice, ...args], {
    stdio: ["ignore", "pipe", "pipe", "ipc"],
    // Ctrl-C is for the campaign, which ends it in order.
    detached: true,
  });
  const caller = createCaller(child, "server");
  const log = watchLog(child.stderr);
  const [line] = await Promise.race([
    once(createInterface({ input: child.stdout }), "line"),
    caller.ended.then(({ code, signal }) => {
      throw new Error(`sluice serve has ended (${signal ?? code}): ${log.lastLines.join("\n")}`);
    }),
  ]);
  const { metricsUrl } = JSON.parse(line);
  return {
    ...{ child, ended: caller.ended, call: caller.call, log },
    readMetrics: async () => parseMetrics(await (await fetch(`${metricsUrl}/metrics`)).text()),
  };
}

function watchLog(stderr) {
  const log = { lastLines: [], unexpected: [], errors: {}, notExported: {} };
  createInterface({ input: stderr }).on("line", (line) => {
    log.lastLines = [...log.lastLines, line].slice(-keptLines);
    const entry = parseLine(line);
    if (entry?.msg.startsWith("tracing:")) {
      const [what] = entry.reason.split(":", 1);
      log.notExported[what] = (log.notExported[what] ?? 0) + 1;
    }
    if (entry && entry.level < errorLevel) return;
    const message = entry?.msg ?? line;
    log.errors[message] = (log.errors[message] ?? 0) + 1;
    if (!expectedErrors.some((expected) => expected.test(message))) log.unexpected.push(line.slice(0, 1_000));
  });
  return log;
}

function parseLine(line) {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

/** What the campaign needs of a server's metrics. */
export function parseMetrics(text) {
  const outcomes = {};
  const sums = { restarts: 0, protocolErrors: 0 };
  const captured = { written: 0, skipped: 0 };
  const traces = {};
  const qlog = {};
  const engines = [];
  const plain = {};
  for (const [, name, labelText = "", number] of text.matchAll(/^(\w+)(?:\{(.*)\})? (\S+)$/gm)) {
    const labels = Object.fromEntries(
      [...labelText.matchAll(/(\w+)="([^"]*)"/g)].map(([, key, value]) => [key, value]),
    );
    const value = Number(number);
    if (name === "sluice_frames_total") outcomes[labels.outcome] = (outcomes[labels.outcome] ?? 0) + value;
    else if (name === "sluice_engine_restarts_total") sums.restarts += value;
    else if (name === "sluice_protocol_errors_total") sums.protocolErrors += value;
    else if (name === "sluice_captured_frames_total") captured[labels.outcome] = value;
    else if (name === "sluice_traces_total") traces[labels.outcome] = value;
    else if (name === "sluice_qlog_events_total") qlog[labels.outcome] = value;
    else if (name === "sluice_engine_up" && value === 1) engines.push(labels.engine);
    else if (name === "sluice_connections") plain.connections = (plain.connections ?? 0) + value;
    else plain[name] = value;
  }
  return {
    ...{
      outcomes,
      ...{ captured, traces, qlog, engines },
      ...sums,
      begun: plain.sluice_frames_begun_total,
      sessions: plain.sluice_sessions,
    },
    connections: plain.connections,
    invalid: plain.sluice_invalid_observations_total,
  };
}
