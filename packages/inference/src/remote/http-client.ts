import { setTimeout as delay } from "node:timers/promises";
import { type Dispatcher, errors, Pool } from "undici";
import { EngineError } from "../engine.js";
import { type FailedTry, planRetry, type RetryLimits } from "./retry-policy.js";

/** How requests are made. */
export interface HttpClientOptions {
  readonly origin: string;
  /** Sent with every request: an authorization, say. */
  readonly headers: Readonly<Record<string, string>>;
  /** Connections, each with one request at a time; the others wait. */
  readonly maxConnections: number;
  readonly retry: RetryLimits;
  /** A longer answer is cut off with an error. */
  readonly maxAnswerBytes: number;
  /** 0..1. */
  readonly random: () => number;
}

export interface HttpAnswer {
  readonly status: number;
  /** The first value of a header, by its name in small letters. */
  header(name: string): string | undefined;
  readonly body: Uint8Array;
}

export interface HttpClient {
  /**
   * Makes a request, and makes it again where that may help, until the time is over.
   * @throws EngineError `timeout`, `unreachable`, `closed`, `run-failed` for an answer that is too long
   */
  request(path: string, timeoutMs: number, post?: HttpPost): Promise<HttpAnswer>;
  close(): Promise<void>;
}

/** What is sent; without it the request is a GET. */
export interface HttpPost {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

async function readBody(body: Dispatcher.ResponseData["body"], limit: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body as AsyncIterable<Uint8Array>) {
    length += chunk.length;
    if (length > limit)
      throw new EngineError("run-failed", `the server's answer is longer than ${limit} bytes`);
    chunks.push(chunk);
  }
  const whole = new Uint8Array(length);
  let offset = 0;
  for (const chunk of chunks) {
    whole.set(chunk, offset);
    offset += chunk.length;
  }
  return whole;
}

/** Errors after which a request may be repeated: the connection could not be made or broke. */
function isConnectionError(error: unknown): error is Error {
  if (error instanceof errors.SocketError || error instanceof errors.ConnectTimeoutError) return true;
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  return [
    "ECONNREFUSED",
    "ECONNRESET",
    "EPIPE",
    "EHOSTUNREACH",
    "ENETUNREACH",
    "ENOTFOUND",
    "EAI_AGAIN",
  ].includes(code);
}

/** A client over a pool of connections to one server. */
export function createHttpClient(options: HttpClientOptions): HttpClient {
  const pool = new Pool(options.origin, { connections: options.maxConnections, pipelining: 1 });
  let closed: Promise<void> | undefined;

  async function tryOnce(path: string, leftMs: number, post: HttpPost | undefined): Promise<HttpAnswer> {
    const { statusCode, headers, body } = await pool.request({
      ...{ path, method: post ? "POST" : "GET", headers: { ...options.headers, ...post?.headers } },
      ...(post ? { body: post.body } : {}),
      signal: AbortSignal.timeout(Math.max(1, Math.ceil(leftMs))),
    });
    const header = (name: string) => {
      const value = headers[name];
      return Array.isArray(value) ? value[0] : value;
    };
    return { status: statusCode, header, body: await readBody(body, options.maxAnswerBytes) };
  }

  return {
    async request(path, timeoutMs, post) {
      const deadline = performance.now() + timeoutMs;
      const timeout = (cause?: unknown) =>
        new EngineError("timeout", `${options.origin} did not answer within ${Math.round(timeoutMs)} ms`, {
          cause,
        });
      for (let tries = 1; ; tries++) {
        if (closed !== undefined) throw new EngineError("closed", "the engine was closed");
        let failure: FailedTry;
        let answer: HttpAnswer | undefined;
        let cause: unknown;
        try {
          answer = await tryOnce(path, deadline - performance.now(), post);
          if (answer.status < 400) return answer;
          const after = Number(answer.header("retry-after"));
          const retryAfterSeconds = Number.isFinite(after) ? after : 0;
          failure = { kind: "status", status: answer.status, retryAfterSeconds };
        } catch (error) {
          if (closed !== undefined) throw new EngineError("closed", "the engine was closed");
          if (error instanceof Error && error.name === "TimeoutError") throw timeout(error);
          if (error instanceof EngineError) throw error;
          if (!isConnectionError(error)) {
            const reason = error instanceof Error ? error.message : String(error);
            throw new EngineError("unreachable", `${options.origin} is not understood: ${reason}`, {
              cause: error,
            });
          }
          failure = { kind: "no-connection" };
          cause = error;
        }
        const left = deadline - performance.now();
        const wait = planRetry(failure, tries, left, options.random(), options.retry);
        if (wait !== undefined) {
          await delay(wait);
          continue;
        }
        if (answer !== undefined) return answer;
        const reason = cause instanceof Error ? cause.message || cause.name : String(cause);
        throw new EngineError("unreachable", `${options.origin} cannot be reached: ${reason}`, { cause });
      }
    },
    close() {
      closed ??= pool.destroy();
      return closed;
    },
  };
}
