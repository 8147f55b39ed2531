import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import type { ShownModel } from "@sluice/demo";
import { type EngineName, listen, type RetryMode } from "@sluice/http3";
import type { ProviderChoice } from "@sluice/inference";
import { createMetrics, serveOperations } from "@sluice/metrics";
import { createCapture, createServer, type ServerLog } from "@sluice/server";
import { CliError } from "./cli-error.js";
import { ExitCode } from "./exit-codes.js";
import { parseHostPort } from "./host-port.js";
import { listenOrFree } from "./listen-or-free.js";
import { type ModelEntry, parseModelEntry } from "./model-entry.js";
import { createServedOrigins } from "./read-origins.js";
import type { RemoteHalf } from "./remote-halves.js";
import { openDemo } from "./serve-demo.js";
import { findModels, openServedModels, type ServedModels } from "./served-models.js";
import { readTokens } from "./tokens/token-check.js";
import { describeTracing, openTracing, type TracingOptionValues, tracingCloseMs } from "./tracing-options.js";

/** So many seconds' worth of new connections may come from one source at once. */
const newConnectionsBurst = 4;

export interface ServeOptions {
  /** `HOST:PORT` of the UDP socket; port 0 takes a free one. */
  readonly listen: string;
  readonly engine: EngineName;
  /** Also listens for WebSockets over TCP, at the same port number. */
  readonly fallback: boolean;
  /** Each `[NAME[@VERSION]=]MODEL`; with none and no folder the embedded model. */
  readonly model: readonly string[];
  /** A folder of models with versions. */
  readonly models: string | undefined;
  /** Second halves of the first model that run at other servers. */
  readonly remote: readonly RemoteHalf[];
  /** Networks that are held at once, one for each cut in use. */
  readonly maxLoaded: number | undefined;
  /** Where the first model is cut from the start. */
  readonly split: string | undefined;
  readonly labels: string | undefined;
  readonly cert: string | undefined;
  readonly key: string | undefined;
  /** `HOST:PORT` of the metrics, `off`, or `undefined` for the default port or, where it is taken, a free one. */
  readonly metrics: string | undefined;
  readonly threads: number | undefined;
  /** What onnxruntime computes with; `undefined`: the processor. */
  readonly provider: ProviderChoice | undefined;
  /** Frames, and payload bytes, per second for each session. */
  readonly fpsLimit: number | undefined;
  readonly bytesLimit: number | undefined;
  /** Bytes of the largest result. */
  readonly resultLimit: number | undefined;
  /** Pages of these origins may open sessions; none: all may. */
  readonly origin: readonly string[];
  readonly token: string | undefined;
  /** A file of tokens, and one with the key that signs others. */
  readonly tokens: string | undefined;
  readonly tokenKey: string | undefined;
  readonly retry: RetryMode | undefined;
  readonly maxConnections: number | undefined;
  readonly maxConnectionsPerSource: number | undefined;
  /** In a second. */
  readonly newConnectionsPerSource: number | undefined;
  /** `HOST:PORT` of the demo's page, true for its default; `undefined`: none. */
  readonly demo: string | true | undefined;
  /** The directory of captures, which frames are captured, and the bytes of all; `undefined`: none, and the defaults. */
  readonly capture: string | undefined;
  readonly captureFrames: string | undefined;
  readonly captureBytes: number | undefined;
  /** Traces of frames and qlog files; with nothing in it there are none. */
  readonly tracing: TracingOptionValues;
  /** Of this program. */
  readonly version: string;
}

export interface RunningServer {
  readonly url: string;
  readonly certHash: string | undefined;
  readonly metricsUrl: string | undefined;
  /** Of the demo's page. */
  readonly pageUrl: string | undefined;
  /** The first model, and where it is ready to be cut. */
  readonly model: string;
  readonly split: string;
  /** Every model as clients may ask for it. */
  readonly models: readonly string[];
  /** What is ready, and what computes it. */
  readonly networks: ReturnType<ServedModels["registry"]["loaded"]>;
  /** Reads the certificate files again. */
  reloadCertificate(): Promise<void>;
  /** Answers what is in flight, then ends everything. */
  drain(timeoutMs: number): Promise<void>;
}

const defaultMetrics = "127.0.0.1:9464";

/** Starts the reference server. @throws ModelError, ConnectError, RangeError naming the option */
export async function startServer(options: ServeOptions, log: ServerLog): Promise<RunningServer> {
  const address = parseHostPort(options.listen, "--listen");
  const certificate = await checkCertificateFiles(options);
  const authorize = await readTokens(options);
  const capture = await openCapture(options, log);
  const tracing = await openTracing(options.tracing, "server", options.version, (reason) =>
    log.warn({ reason }, "tracing: something could not be exported"),
  );
  const { registry, served } = await openServedModels(await listModels(options), {
    ...options,
    onLog: (line, reference) => log.info({ model: reference }, line),
  });
  const split = options.split ?? served[0]!.defaultSplit;
  try {
    const demo =
      options.demo === undefined ? undefined : await openDemo(options.demo, checkDemo(options, served), log);
    // Ready means warm: each model where it is cut by default.
    for (const [i, { reference, defaultSplit, model }] of served.entries()) {
      const at = i === 0 ? split : defaultSplit;
      // Of several inputs sizes are often open, and known when a client says what it sends.
      if (at === "" && (model?.network.inputs.length ?? 1) > 1) continue;
      if (registry.isFull) {
        const left = served.length - i;
        log.info({ models: left }, "these are loaded when they are asked for: --max-loaded is reached");
        break;
      }
      await registry.prepare(reference, at);
    }
    const metrics = createMetrics();
    const perSecond = options.newConnectionsPerSource;
    const origins = createServedOrigins(options.origin);
    const transport = await listen({
      ...{ host: address.host, port: address.port, engine: options.engine },
      // Pages go on over it where UDP is blocked.
      fallback: options.fallback || demo !== undefined,
      ...(certificate ? { certificate } : {}),
      ...(options.retry ? { retry: options.retry } : {}),
      ...(options.maxConnections ? { maxConnections: options.maxConnections } : {}),
      ...(options.maxConnectionsPerSource
        ? { maxConnectionsPerSource: options.maxConnectionsPerSource }
        : {}),
      ...(perSecond
        ? { newConnectionsPerSource: { perSecond, burst: newConnectionsBurst * perSecond } }
        : {}),
      ...(origins ? { origins: origins.allows } : {}),
      log: (level, message, fields) => log[level](fields ?? {}, message),
      onStuck: () => endStuckProcess(log),
    });
    const server = createServer({
      ...{ transport, openServedStream: demo?.tap(registry.open) ?? registry.open, log, observer: metrics },
      limits: {
        ...(options.fpsLimit ? { framesPerSecond: options.fpsLimit } : {}),
        ...(options.bytesLimit ? { maxBytesPerSecond: options.bytesLimit } : {}),
        ...(options.resultLimit ? { maxResultBytes: options.resultLimit } : {}),
      },
      ...(authorize ? { authorize } : {}),
      ...(capture ? { capture } : {}),
      ...(tracing ? { observeSession: tracing.observeServer } : {}),
    });
    if (tracing) metrics.watchTracing(() => tracing.figures);
    let draining = false;
    if (capture) metrics.watchCapture(() => capture.figures);
    metrics.watchTransport(() => ({
      ...transport.stats(),
      certificateNotAfter: new Date(transport.certificates()[0]!.notAfter),
    }));
    metrics.watchQueues(server.queues);
    metrics.watchNetworks(registry.loaded);
    const describe = () => ({
      url: transport.url,
      certificateHash: transport.certificateHash,
      certificates: transport.certificates(),
    });
    const isReady = () => !draining && transport.isListening;
    const closeServer = async (error: unknown) => {
      await server.close();
      throw error;
    };
    const operations = await startOperations(options.metrics, metrics, describe, log, isReady).catch(
      closeServer,
    );
    const page = await demo?.listen(transport).catch(async (error: unknown) => {
      await operations?.close();
      return closeServer(error);
    });
    if (page) origins?.addPage(page.url);
    return {
      ...{
        url: transport.url,
        certHash: transport.certificateHash,
        metricsUrl: operations?.url,
        pageUrl: page?.url,
        model: served[0]!.reference,
        split,
        models: registry.models,
        networks: registry.loaded(),
      },
      reloadCertificate: () => transport.reloadCertificate(),
      async drain(timeoutMs) {
        draining = true;
        await page?.close();
        await server.drain(timeoutMs);
        await operations?.close();
        await registry.close();
        await capture?.close();
        await tracing?.close(tracingCloseMs);
        for (const line of tracing ? describeTracing(tracing, options.tracing) : []) log.info({}, line);
      },
    };
  } catch (error) {
    await tracing?.close(0);
    await registry.close();
    throw error;
  }
}

async function openCapture(options: ServeOptions, log: ServerLog) {
  const { capture: directory, captureFrames: frames, captureBytes: maxBytes } = options;
  if (directory === undefined) {
    if (frames === undefined && maxBytes === undefined) return undefined;
    throw new RangeError("--capture-frames and --capture-bytes: only with --capture DIR");
  }
  const bounds = { ...(frames === undefined ? {} : { frames }), ...(maxBytes ? { maxBytes } : {}) };
  try {
    return await createCapture({ directory, log, ...bounds });
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new RangeError(`--capture-${cause.message}`, { cause });
  }
}

/** Ends the process at once, for its supervisor to start it again: an orderly end would wait for the stuck thread. */
function endStuckProcess(log: ServerLog): void {
  log.error({}, "the transport hangs in native code; the process ends itself, to be started again");
  process.kill(process.pid, "SIGKILL");
}

/** @throws RangeError where the page has nothing to show, or could not come in */
function checkDemo({ token, tokens, tokenKey }: ServeOptions, served: ServedModels["served"]): ShownModel[] {
  const shown = served.flatMap(({ reference, model }) => (model ? [{ reference, model }] : []));
  if (shown.length === 0) throw new RangeError("--demo: sink runs no network; take another --model");
  if (token !== undefined || tokens !== undefined || tokenKey !== undefined) {
    const asked = "leave --token, SLUICE_TOKEN, --tokens and --token-key out";
    throw new RangeError(`--demo: its page shows no token; ${asked}`);
  }
  return shown;
}

async function listModels(options: ServeOptions): Promise<ModelEntry[]> {
  const named = options.model.map(parseModelEntry);
  const found = options.models === undefined ? [] : await findModels(options.models);
  const entries = [...named, ...found];
  if (entries.length === 0) entries.push(parseModelEntry("fashion"));
  if (options.labels === undefined) return entries;
  if (entries.length > 1) {
    throw new RangeError("--labels: is for one model; in a folder of models put labels.json beside each");
  }
  return entries.map((entry) => ({ ...entry, labelsPath: options.labels }));
}

async function checkCertificateFiles({
  cert,
  key,
}: ServeOptions): Promise<{ certFile: string; keyFile: string } | undefined> {
  if (cert === undefined && key === undefined) return undefined;
  if (cert === undefined || key === undefined) throw new RangeError("--cert and --key go together");
  const pem = { cert: await readFile(cert, "utf8"), key: await readFile(key, "utf8") };
  checkPem("--cert", cert, () => new X509Certificate(pem.cert));
  checkPem("--key", key, () => createPrivateKey(pem.key));
  return { certFile: cert, keyFile: key };
}

function checkPem(option: string, path: string, read: () => unknown): void {
  try {
    read();
  } catch (cause) {
    throw new CliError(ExitCode.notFound, `${option}: ${path} is not in the PEM format that it must be`, {
      cause,
    });
  }
}

async function startOperations(
  wanted: string | undefined,
  metrics: ReturnType<typeof createMetrics>,
  describe: () => unknown,
  log: ServerLog,
  isReady: () => boolean,
) {
  if (wanted === "off") return undefined;
  const { host, port } = parseHostPort(wanted ?? defaultMetrics, "--metrics");
  const options = { host, metrics, describe, log, isReady };
  const listen = (port: number) => serveOperations({ ...options, port });
  if (wanted !== undefined) return listen(port);
  return listenOrFree(port, listen, ({ url }) =>
    log.warn({ wanted: defaultMetrics, url }, "the default metrics port is taken"),
  );
}
