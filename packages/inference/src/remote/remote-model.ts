import { EngineError } from "../engine.js";
import type { RawInfo, RawTensor } from "../worker-engine/messages.js";
import { createHttpClient, type HttpAnswer } from "./http-client.js";
import { encodeInferRequest, headerLengthHeader } from "./infer-request.js";
import { decodeInferResponse, parseAnswer } from "./infer-response.js";
import { hasBinaryExtension, type RemoteModelMetadata, readModelMetadata } from "./model-metadata.js";
import { modelPath, type RemoteModelUrl } from "./model-url.js";

/** How a server of the Open Inference Protocol is asked. */
export interface RemoteOptions {
  /** For one inference, tries and waits together, unless the caller has less; 1..600000, by default 5000. */
  readonly timeoutMs?: number;
  /** Connections, so inferences at once; 1..1024, by default 8. */
  readonly maxConnections?: number;
  /** Tries after a failed one, within the time; 0..10, by default 2. */
  readonly maxRetries?: number;
  /** Sent with every request: `{ authorization: "Bearer ..." }`, say. */
  readonly headers?: Readonly<Record<string, string>>;
  /** A longer answer is an error; by default 256 MiB. */
  readonly maxAnswerBytes?: number;
}

/** A model at a server. */
export interface RemoteModel {
  readonly metadata: RemoteModelMetadata;
  /** Whether tensors travel as bytes (the binary tensor data extension) or in JSON. */
  readonly binary: boolean;
  /** Whether the server says that it lives and that the model is ready. */
  health(): Promise<{ readonly live: boolean; readonly ready: boolean }>;
  /** @throws EngineError `timeout`, `unreachable`, `run-failed` with the server's words, `bad-input`, `closed` */
  infer(inputs: Readonly<Record<string, RawTensor>>, timeoutMs?: number): Promise<RawTensor[]>;
  close(): Promise<void>;
}

const firstRetryMs = 50;

function checkRange(
  name: string,
  value: number | undefined,
  fallback: number,
  min: number,
  max: number,
): number {
  if (value === undefined) return fallback;
  if (!Number.isInteger(value) || value < min || value > max) {
    throw new EngineError("bad-input", `${name}: must be an integer of ${min}..${max}, got ${value}`);
  }
  return value;
}

/** What the server says about a failure, in its own words where it has some. */
function errorText({ status, body }: HttpAnswer): string {
  let words: unknown;
  try {
    words = parseAnswer(body).error;
  } catch {}
  return typeof words === "string" ? `${words.slice(0, 500)} (HTTP ${status})` : `HTTP ${status}`;
}

/** What is not as the server has said would be taken for something else behind it. @throws EngineError `run-failed` */
function checkOutput({ type, dims }: RawTensor, info: RawInfo): void {
  const fits =
    type === info.type &&
    dims.length === info.shape.length &&
    info.shape.every((size, axis) => typeof size !== "number" || size === dims[axis]);
  if (fits) return;
  const said = info.shape.map((size) => (typeof size === "number" ? size : "?")).join(", ");
  throw new EngineError(
    "run-failed",
    `output "${info.name}": is ${type} [${dims.join(", ")}], the server's metadata say ${info.type} [${said}]`,
  );
}

/**
 * Asks a server for a model's metadata, and keeps connections to it.
 * @throws EngineError `unreachable`, `timeout`, `load-failed` where there is no such model or its metadata make no sense
 */
export async function openRemoteModel(
  url: RemoteModelUrl,
  options: RemoteOptions = {},
): Promise<RemoteModel> {
  const timeoutMs = checkRange("timeoutMs", options.timeoutMs, 5000, 1, 600_000);
  const client = createHttpClient({
    ...{ origin: url.origin, headers: options.headers ?? {}, random: Math.random },
    maxConnections: checkRange("maxConnections", options.maxConnections, 8, 1, 1024),
    maxAnswerBytes: checkRange("maxAnswerBytes", options.maxAnswerBytes, 2 ** 28, 1, 2 ** 31 - 1),
    retry: { maxRetries: checkRange("maxRetries", options.maxRetries, 2, 0, 10), baseDelayMs: firstRetryMs },
  });
  const path = modelPath(url);
  const isFine = async (probe: string) =>
    client.request(probe, timeoutMs).then(
      ({ status }) => status < 400,
      () => false,
    );
  try {
    const [server, model] = await Promise.all([
      client.request(`${url.prefix}/v2`, timeoutMs),
      client.request(path, timeoutMs),
    ]);
    if (model.status >= 300) {
      throw new EngineError(
        "load-failed",
        `the server does not give model "${url.model}": ${errorText(model)}`,
      );
    }
    const metadata = readModelMetadata(parseAnswer(model.body));
    // Some servers have no metadata of their own: then JSON, which all must take.
    const binary = server.status < 300 && hasBinaryExtension(parseAnswer(server.body));
    const outputNames = metadata.outputs.map(({ name }) => name);
    return {
      metadata,
      binary,
      async health() {
        const [live, ready] = await Promise.all([
          isFine(`${url.prefix}/v2/health/live`),
          isFine(`${path}/ready`),
        ]);
        return { live, ready };
      },
      async infer(inputs, limitMs = timeoutMs) {
        const request = encodeInferRequest(inputs, outputNames, binary);
        const answer = await client.request(`${path}/infer`, Math.min(limitMs, timeoutMs), request);
        if (answer.status >= 300) {
          throw new EngineError("run-failed", `the server could not run the model: ${errorText(answer)}`);
        }
        const outputs = decodeInferResponse(answer.header(headerLengthHeader), answer.body, outputNames);
        for (const [i, output] of outputs.entries()) checkOutput(output, metadata.outputs[i]!);
        return outputs;
      },
      close: () => client.close(),
    };
  } catch (error) {
    await client.close();
    throw error;
  }
}
