/** Sends traces to a collector by OTLP over HTTP, as JSON. */
import { request } from "undici";
import type { Sent } from "./export-queue.js";
import type { FrameTrace } from "./frame-trace.js";
import { type OtlpResource, otlpRequest } from "./otlp-json.js";

export interface OtlpTarget {
  /** http(s)://host:4318/v1/traces; without a path that one is meant. */
  readonly url: string;
  /** Of each request, as collectors ask for keys. */
  readonly headers: Readonly<Record<string, string>>;
}

const timeoutMs = 10_000;
/** Of an answer that is read. */
const maxAnswerBytes = 64 * 1024;
/** By the specification these may work later; no other status does. */
const passing = new Set([429, 502, 503, 504]);

/** @throws RangeError where the text is no address of a collector */
export function parseOtlpUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !/^https?:$/.test(url.protocol)) throw new RangeError(`expected http(s)://HOST:PORT/v1/traces`);
  if (url.username !== "" || url.password !== "") {
    throw new RangeError(
      "no user or password in the address: OTEL_EXPORTER_OTLP_HEADERS takes what the collector asks for",
    );
  }
  if (url.pathname === "/") url.pathname = "/v1/traces";
  return url.href;
}

/** Reads `key=value,key2=value2`, percent-encoded, as in OTEL_EXPORTER_OTLP_HEADERS. @throws RangeError naming no value */
export function parseOtlpHeaders(text: string): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const pair of text.split(",").filter((each) => each.trim() !== "")) {
    const [, key, value] = /^\s*([\w!#$%&'*+.^`|~-]+)\s*=\s*(.*?)\s*$/.exec(pair) ?? [];
    try {
      if (key === undefined || value === undefined) throw new RangeError();
      headers[key.toLowerCase()] = decodeURIComponent(value);
    } catch {
      throw new RangeError("expected KEY=VALUE,KEY=VALUE, percent-encoded");
    }
  }
  return headers;
}

/** One request; `onRejected` learns what a collector has left out of a batch that it took. */
export async function postTraces(
  { url, headers }: OtlpTarget,
  traces: readonly FrameTrace[],
  resource: OtlpResource,
  onRejected: (reason: string) => void,
): Promise<Sent> {
  try {
    const answer = await request(url, {
      method: "POST",
      headers: { ...headers, "content-type": "application/json" },
      body: JSON.stringify(otlpRequest(traces, resource)),
      ...{ headersTimeout: timeoutMs, bodyTimeout: timeoutMs, signal: AbortSignal.timeout(timeoutMs) },
    });
    const { statusCode } = answer;
    const text = await readSome(answer.body);
    if (statusCode >= 200 && statusCode < 300) {
      const rejected = readRejected(text);
      if (rejected !== undefined) onRejected(rejected);
      return { outcome: "done" };
    }
    const reason = `the collector answers ${statusCode}`;
    if (!passing.has(statusCode)) return { outcome: "refused", reason };
    const seconds = Number(answer.headers["retry-after"]);
    return { outcome: "again", reason, ...(seconds > 0 ? { afterMs: seconds * 1_000 } : {}) };
  } catch (error) {
    return { outcome: "again", reason: `the collector cannot be reached: ${(error as Error).message}` };
  }
}

async function readSome(body: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > maxAnswerBytes) break;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

/** `partialSuccess` of the answer. */
function readRejected(text: string): string | undefined {
  try {
    const { partialSuccess } = JSON.parse(text) as {
      partialSuccess?: { rejectedSpans?: string | number; errorMessage?: string };
    };
    const count = Number(partialSuccess?.rejectedSpans ?? 0);
    return count > 0 ? `${count} spans: ${partialSuccess?.errorMessage ?? ""}`.slice(0, 300) : undefined;
  } catch {
    return undefined;
  }
}
