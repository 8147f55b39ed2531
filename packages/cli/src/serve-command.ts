import { once } from "node:events";
import { type EngineName, engineNames, type RetryMode } from "@sluice/http3";
import type { ProviderChoice } from "@sluice/inference";
import { maxResultStreamBytes } from "@sluice/protocol";
import { defaultCaptureBytes, defaultFrameSample } from "@sluice/server";
import { type Command, Option } from "commander";
import { pino } from "pino";
import type { CliContext } from "./cli-context.js";
import { servedModelHelp } from "./model-help.js";
import { parseCount } from "./parse-count.js";
import { pinoPretty } from "./pretty-log.js";
import { providerOption } from "./provider-option.js";
import { readOrigins } from "./read-origins.js";
import { parseRemoteHalf, type RemoteHalf } from "./remote-halves.js";
import { startServer } from "./serve-run.js";
import { addTracingOptions, type TracingOptionValues } from "./tracing-options.js";

interface ServeCommandOptions extends TracingOptionValues {
  readonly listen: string;
  readonly engine: EngineName;
  readonly fallback?: true;
  readonly model?: readonly string[];
  readonly models?: string;
  readonly maxLoaded?: number;
  readonly split?: string;
  readonly remote?: readonly RemoteHalf[];
  readonly labels?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly retry?: RetryMode;
  readonly maxConnections?: number;
  readonly maxConnectionsPerSource?: number;
  readonly newConnectionsPerSource?: number;
  readonly metrics?: string;
  readonly demo?: string | true;
  readonly threads?: number;
  readonly provider?: ProviderChoice;
  readonly fpsLimit?: number;
  readonly bytesLimit?: number;
  readonly resultLimit?: number;
  readonly origin?: readonly string[];
  readonly token?: string;
  readonly tokens?: string;
  readonly tokenKey?: string;
  readonly capture?: string;
  readonly captureFrames?: string;
  readonly captureBytes?: number;
  readonly logLevel: string;
  readonly json?: true;
}

/** How long what is in flight may take when the server is told to end. */
const drainMs = 5_000;

/** Registers `sluice serve`. */
export function registerServe(program: Command, context: CliContext): void {
  const command = program
    .command("serve")
    .description("Serve a model: receive tensors, conceal what was lost, infer, answer in time.")
    .option("--listen <host:port>", "UDP address; port 0 takes a free one", "127.0.0.1:4433")
    .addOption(new Option("--engine <name>", "transport").choices([...engineNames]).default("auto"))
    .option("--fallback", "also serve WebSockets over TCP at the same port, for clients whose UDP is blocked")
    .option(
      "--model <model>",
      `${servedModelHelp}; again for each model, with NAME= or NAME@VERSION= before it (default: fashion)`,
      (text: string, models: readonly string[] = []) => [...models, text],
    )
    .option(
      "--models <folder>",
      "serve what lies below this folder as NAME.onnx, or in NAME/VERSION/ as an .onnx file or the model.json of TensorFlow.js",
    )
    .option(
      "--max-loaded <n>",
      "networks that are held at once, one for each model and cut; the longest unused makes room (default: 8)",
      (text) => parseCount(text, "--max-loaded", 1, 1_000),
    )
    .option(
      "--split <tensor>",
      "the cut of the first model to be ready for at the start; clients may ask for others",
    )
    .option(
      "--remote <[tensor=]address>",
      "the first model's rest behind this cut (or all of it) runs at a server of the Open Inference Protocol: http://HOST:PORT/v2/models/NAME; again for each cut",
      (text: string, halves: readonly RemoteHalf[] = []) => [...halves, parseRemoteHalf(text)],
    )
    .option("--labels <file>", "names of the classes: .json, .tsv or one a line")
    .option("--cert <file>", "certificate chain in PEM (default: one is made, to be trusted by its hash)")
    .option("--key <file>", "private key in PEM; both files are read again when they change, and on SIGHUP")
    .addOption(
      new Option(
        "--retry <when>",
        "when clients must prove their address, for one more round trip (default: always, where the engine can)",
      ).choices(["always", "under-load", "never"]),
    )
    .option("--max-connections <n>", "clients at the same time (default: 256)", (text) =>
      parseCount(text, "--max-connections", 1, 1_000_000),
    )
    .option(
      "--max-connections-per-source <n>",
      "of which one IPv4 address or IPv6 /64 may have so many (default: 64, without limit on this machine)",
      (text) => parseCount(text, "--max-connections-per-source", 1, 1_000_000),
    )
    .option(
      "--new-connections-per-source <n>",
      "of which one source may open so many in a second, and four times as many at once (default: 16, without limit on this machine)",
      (text) => parseCount(text, "--new-connections-per-source", 1, 100_000),
    )
    .option(
      "--metrics <host:port>",
      "Prometheus metrics and health over HTTP, or off (default: 127.0.0.1:9464)",
    )
    .option(
      "--demo [host:port]",
      "a page to look at and to play with, and a WebSocket for it (default: 127.0.0.1:8080)",
    )
    .option("--threads <n>", "threads for one inference", (text) => parseCount(text, "--threads", 1, 64))
    .addOption(providerOption())
    .option("--fps-limit <n>", "frames per second that each session may send", (text) =>
      parseCount(text, "--fps-limit"),
    )
    .option("--bytes-limit <n>", "bytes of tensors per second that each session may send", (text) =>
      parseCount(text, "--bytes-limit", 1, 2 ** 32 - 1),
    )
    .option(
      "--result-limit <n>",
      "bytes of the largest result; streams whose outputs are larger are rejected (default: 67108864)",
      (text) => parseCount(text, "--result-limit", 1, maxResultStreamBytes),
    )
    .option(
      "--origin <origin>",
      "pages of this origin may open sessions, others get 403: https://app.example, https://*.example.org, or * for all; again for each (default: all)",
      (text: string, origins: readonly string[] = []) => [...origins, ...readOrigins(text)],
    )
    .option(
      "--token <text>",
      "bearer token that clients must show; SLUICE_TOKEN keeps it out of the process list",
    )
    .option("--tokens <file>", "more of them, each with a name and limits, in YAML or JSON (see below)")
    .option("--token-key <file>", "the key of signed tokens that expire; `sluice token` makes both")
    .option(
      "--capture <dir>",
      "keep what came of frames, with the tensors that users sent, in files for `sluice replay`",
    )
    .option(
      "--capture-frames <which>",
      `all, every:n=N, or bad:concealed=PERCENT: also what is undecodable, failed or late (default: ${defaultFrameSample})`,
    )
    .option(
      "--capture-bytes <n>",
      `of all captures in the directory; the capturing ends there (default: ${defaultCaptureBytes})`,
      (text) => parseCount(text, "--capture-bytes"),
    );
  addTracingOptions(command)
    .addOption(
      new Option("--log-level <level>", "what is logged")
        .choices(["debug", "info", "warn", "error", "silent"])
        .default("info"),
    )
    .option("--json", "logs in JSON even in a terminal")
    .addHelpText(
      "after",
      `
When ready it prints one JSON line with "event": "listening", the url, certHash, metricsUrl and pageUrl on stdout; logs go to
stderr. SIGTERM and Ctrl-C let it answer what is in flight and end. A certificate that it made itself is renewed before
its 13 days are over; GET /.well-known/sluice beside the metrics has the hashes of the present one and of the next.

A file of tokens: - {name: camera-7, token: "...", max-sessions: 2, fps-limit: 30, bytes-limit: 250000}
                  - {name: lab, sha256: "the token's SHA-256, so that the file holds no secret"}

Examples:
  $ sluice serve
  $ sluice serve --demo
  $ sluice serve --model mobilenet.onnx --split add_3 --listen 0.0.0.0:4433
  $ sluice serve --model faces@1=old.onnx --model faces@2=new.onnx   # clients that ask for faces get 2
  $ sluice serve --models /srv/models                               # faces/1/model.onnx, faces/2/model.onnx, ...
  $ sluice serve --model mobilenet.onnx --split add_3 --remote add_3=http://triton:8000/v2/models/mobilenet-tail
  $ sluice serve --cert fullchain.pem --key privkey.pem --metrics 127.0.0.1:9464`,
    )
    .action(async (options: ServeCommandOptions) => {
      // From the start: whoever started this may be gone before the model is loaded.
      const stopped = untilStopped(context.signal);
      const isPretty = context.isTty && !options.json;
      const log = pino(
        { name: "sluice", level: options.logLevel },
        isPretty ? pinoPretty() : pino.destination(2),
      );
      const server = await startServer(
        {
          ...{ listen: options.listen, engine: options.engine, split: options.split },
          ...{ model: options.model ?? [], models: options.models, maxLoaded: options.maxLoaded },
          remote: options.remote ?? [],
          ...{ labels: options.labels, cert: options.cert, key: options.key, metrics: options.metrics },
          demo: options.demo,
          ...{ threads: options.threads, provider: options.provider },
          ...{ fpsLimit: options.fpsLimit, fallback: options.fallback === true },
          ...{ bytesLimit: options.bytesLimit, resultLimit: options.resultLimit },
          ...{ retry: options.retry, maxConnections: options.maxConnections },
          maxConnectionsPerSource: options.maxConnectionsPerSource,
          newConnectionsPerSource: options.newConnectionsPerSource,
          ...{ capture: options.capture, captureFrames: options.captureFrames },
          captureBytes: options.captureBytes,
          origin: options.origin ?? [],
          // Empty is not set, as in a composition whose variable has no value.
          token: options.token ?? (process.env.SLUICE_TOKEN || undefined),
          ...{ tokens: options.tokens, tokenKey: options.tokenKey },
          tracing: { trace: options.trace, traceSample: options.traceSample, qlog: options.qlog },
          version: program.version() ?? "",
        },
        log,
      );
      const { url, certHash, metricsUrl, pageUrl, model, split, models, networks } = server;
      // Whoever reads that it listens may send the signal at once.
      const reload = () => {
        log.info("SIGHUP: the certificate files are read again");
        void server.reloadCertificate();
      };
      process.on("SIGHUP", reload);
      context.stdout.write(
        `${JSON.stringify({ event: "listening", url, certHash, metricsUrl, pageUrl, model, split, models, networks })}\n`,
      );
      await stopped;
      process.off("SIGHUP", reload);
      log.info("ending: no new frames are taken");
      await server.drain(drainMs);
    });
}

/** Until a signal comes, or the process that started this one by fork is gone. */
async function untilStopped(signal: AbortSignal): Promise<void> {
  // `false`: started by fork, and the one who did has gone before we looked.
  if (signal.aborted || process.connected === false) return;
  const waits: Promise<unknown>[] = [once(signal, "abort")];
  if (process.channel) {
    waits.push(once(process, "disconnect"));
    // Waiting for it must not keep a server alive that could not start.
    process.channel.unref();
  }
  await Promise.race(waits);
}
