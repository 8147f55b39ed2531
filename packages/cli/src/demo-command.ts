import { fork } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { createRelay, type Relay } from "@sluice/simnet";
import type { Command } from "commander";
import type { CliContext } from "./cli-context.js";
import { asUsage, CliError } from "./cli-error.js";
import { ExitCode } from "./exit-codes.js";
import {
  addLinkOptions,
  DEFAULT_MTU,
  describeLink,
  type LinkOptionValues,
  readLinkOptions,
} from "./link-options.js";
import { checkTrace, formatStep, playTrace, readTrace, traceHelp } from "./link-trace.js";
import { addStreamOptions, readStreamOptions, type StreamOptionValues } from "./stream-options.js";
import { showStream } from "./stream-show.js";

const defaults = { durationSeconds: 20 };

/** Registers `sluice demo`: the whole system on one machine, with a lossy network in between. */
export function registerDemo(program: Command, context: CliContext): void {
  const command = program
    .command("demo")
    .description(
      "Start a server, put a lossy network in front of it, and stream labelled images through both.",
    );
  command.option(
    "--page",
    "the same in a browser: serves a page with all of it to look at and to change, until Ctrl-C",
  );
  addLinkOptions(addStreamOptions(command, defaults), { delay: "20ms", loss: "3%", mtu: DEFAULT_MTU })
    .option(
      "--trace <file>",
      "change the network at the times that a file says, counted from the first frame",
    )
    .addHelpText(
      "after",
      `
Everything runs on this machine over real QUIC: client, a relay that delays and loses packets, server.

Examples:
  $ npm run demo
  $ npm run demo -- --page
  $ npm run demo -- --loss 10% --burst 4 --duration 60
  $ npm run demo -- --loss 0 --frames 10000 --fps 300 --json
  $ npm run demo -- --strategy server --rate 500kbit
  $ npm run demo -- --strategy auto --slowdown 30 --trace commute.trace
${traceHelp}`,
    )
    .action((values: DemoOptionValues & { readonly page?: true }) =>
      values.page ? runPage(values, context) : runDemo(values, context),
    );
}

type DemoOptionValues = StreamOptionValues & LinkOptionValues & { readonly trace?: string };

async function runDemo(values: DemoOptionValues, context: CliContext): Promise<void> {
  if (values.engine === "websocket" || values.fallback) {
    throw new CliError(
      ExitCode.usage,
      "demo: its network carries UDP only, so neither --engine websocket nor --fallback",
    );
  }
  const { up, down } = readLinkOptions(values);
  const trace = values.trace === undefined ? [] : await readTrace(values.trace);
  asUsage(() => checkTrace(trace, { up, down }));
  const seed = values.seed ?? 1;
  let stopTrace = () => {};
  const server = await startServerProcess(values, context.signal);
  let relay: Relay | undefined;
  try {
    const target = { host: "127.0.0.1", port: Number(new URL(server.url).port) };
    const opened = await createRelay({ listen: { host: "127.0.0.1", port: 0 }, target, up, down, seed });
    relay = opened;
    context.stderr.write(`server at ${server.url}, metrics at ${server.metricsUrl}\n`);
    const same = describeLink(up) === describeLink(down);
    const path = same ? `${describeLink(up)} each way` : `${describeLink(up)} up; ${describeLink(down)} down`;
    context.stderr.write(`network: ${path} (seed ${seed})\n`);
    const url = `https://127.0.0.1:${relay.address.port}`;
    const options = readStreamOptions(
      { ...values, seed },
      { url, certificateHash: server.certHash },
      defaults,
    );
    await showStream(options, values.json === true, context, {
      onStart() {
        stopTrace = playTrace(trace, opened, (step) => context.stderr.write(`${formatStep(step)}\n`));
      },
    });
  } finally {
    stopTrace();
    await relay?.close();
    await server.stop();
  }
}

/** Serves the page, whose own controls set the network and the stream. */
async function runPage(values: StreamOptionValues, context: CliContext): Promise<void> {
  const { signal } = context;
  const server = await startServerProcess(values, signal, ["--demo"]);
  try {
    context.stderr.write(`server at ${server.url}, metrics at ${server.metricsUrl}\n`);
    context.stdout.write(`open ${server.pageUrl} in a browser; Ctrl-C ends it\n`);
    if (!signal.aborted) await once(signal, "abort");
  } finally {
    await server.stop();
  }
}

interface ServerProcess {
  readonly url: string;
  readonly certHash: string;
  readonly metricsUrl: string;
  /** With `--demo`. */
  readonly pageUrl?: string;
  stop(): Promise<void>;
}

/** How long the server may take to load its model. */
const startTimeoutMs = 60_000;
/** How long it may take to answer what is in flight and end. */
const stopTimeoutMs = 8_000;

/** Starts `sluice serve` as a process of its own; it ends when this one does, however that happens. */
async function startServerProcess(
  values: StreamOptionValues,
  signal: AbortSignal,
  further: readonly string[] = [],
): Promise<ServerProcess> {
  const arguments_ = [
    "serve",
    "--listen",
    "127.0.0.1:0",
    "--metrics",
    "127.0.0.1:0",
    "--json",
    "--log-level",
    "warn",
    ...further,
  ];
  arguments_.push("--model", values.model, "--engine", values.engine);
  // `auto` may name several; the server loads each when it is asked for.
  if (values.split !== undefined && values.strategy !== "auto") arguments_.push("--split", values.split);
  if (values.labels !== undefined) arguments_.push("--labels", values.labels);
  const child = fork(fileURLToPath(new URL("../bin/sluice.js", import.meta.url)), arguments_, {
    stdio: ["ignore", "pipe", "inherit", "ipc"],
    // Ctrl-C goes to the whole process group of a terminal; the server must outlive the client's last frame.
    detached: true,
    ...(values.token === undefined ? {} : { env: { ...process.env, SLUICE_TOKEN: values.token } }),
  });
  const ended = new Promise<number>((resolve) => child.once("exit", (code) => resolve(code ?? 1)));
  const stop = async () => {
    if (child.connected) child.disconnect();
    const impatience = setTimeout(() => child.kill("SIGKILL"), stopTimeoutMs);
    await ended;
    clearTimeout(impatience);
  };
  let timer: NodeJS.Timeout | undefined;
  const ready = await new Promise<Omit<ServerProcess, "stop">>((resolve, reject) => {
    const fail = (code: ExitCode, message: string) => reject(new CliError(code, message));
    if (signal.aborted) fail(ExitCode.interrupted, "interrupted");
    signal.addEventListener("abort", () => fail(ExitCode.interrupted, "interrupted"));
    timer = setTimeout(
      () => fail(ExitCode.internal, "demo: the server did not start in time"),
      startTimeoutMs,
    );
    createInterface({ input: child.stdout! }).once("line", (line) => {
      resolve(JSON.parse(line) as Omit<ServerProcess, "stop">);
    });
    // The server has said why on stderr: there is nothing to add.
    void ended.then((code) => fail(code as ExitCode, ""));
  })
    .catch(async (error) => {
      await stop();
      throw error;
    })
    .finally(() => clearTimeout(timer));
  return { ...ready, stop };
}
