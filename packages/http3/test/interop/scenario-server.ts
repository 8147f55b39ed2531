import { type EngineName, listen } from "@sluice/http3";
import {
  type CloseInfo,
  type ReceiveStream,
  type SendStream,
  type Session,
  StreamError,
  type TransportServer,
} from "@sluice/transport";

export const TRANSFER_BYTES = 64 << 20;
const CHUNK_BYTES = 1 << 18;

/** What the server saw in a session, by what its path asks for. */
export interface Observation {
  readonly closed: Promise<CloseInfo>;
  /** Texts and stream failures in the order in which they came. */
  readonly seen: string[];
}

export interface ScenarioServer {
  readonly server: TransportServer;
  /** URL of a scenario. */
  url(path: string): string;
  /** What requests so far had in their header `origin`. */
  readonly origins: ReadonlySet<string | undefined>;
  /** The next session at `path`. */
  next(path: string): Promise<Observation>;
}

type Scenario = (session: Session, seen: string[]) => void | Promise<void>;

const encoder = new TextEncoder();

/** The first line, or what came before the end. */
async function readLine(stream: ReceiveStream): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  while (!text.includes("\n")) {
    const part = await stream.read();
    if (part === undefined) break;
    text += decoder.decode(part, { stream: true });
  }
  return text.replace(/\n$/, "");
}

async function sendText(stream: SendStream, text: string): Promise<void> {
  await stream.write(encoder.encode(text));
  await stream.finish();
}

/** What `promise` fails with, as text. */
async function failure(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    return error instanceof StreamError ? `${error.kind} ${error.code}` : String(error);
  }
  return "no failure";
}

/** A stream handler whose failures end with the session: what counts is what the peer sees. */
function settled<T>(handler: (stream: T) => Promise<void>): (stream: T) => void {
  return (stream) => void handler(stream).catch(() => {});
}

/** Byte `i` of every transfer. */
function patternByte(i: number): number {
  return (i * 31 + (i >> 16)) & 0xff;
}

const SCENARIOS: Readonly<Record<string, Scenario>> = {
  "/echo"(session) {
    session.onDatagrams((batch) => {
      for (const datagram of batch) session.sendDatagram(datagram);
    });
    session.onBidirectional(async ({ send, receive }) => {
      try {
        for (let part = await receive.read(); part !== undefined; part = await receive.read()) {
          await send.write(part);
        }
        await send.finish();
      } catch {
        send.reset(0); // Whoever gives up its half wants no more of ours.
      }
    });
    session.onUnidirectional(
      settled(async (stream) => {
        await sendText(await session.openUnidirectional(), `${await readLine(stream)}\n`);
      }),
    );
  },
  async "/ask"(session, seen) {
    for (const text of ["one", "two", "three"]) {
      const { send, receive } = await session.openBidirectional();
      await sendText(send, `${text}\n`);
      seen.push(await readLine(receive));
    }
    // The page closes when it sees the stream, which may be before its bytes.
    const { send } = await session.openBidirectional();
    await send.write(encoder.encode("done\n")).catch(() => {});
  },
  "/see-abandoned"(session, seen) {
    let done = 0;
    session.onBidirectional(
      settled(async ({ send, receive }) => {
        const what = new TextDecoder().decode(await receive.read());
        await send.write(encoder.encode("go"));
        // A stop is noticed by whoever writes.
        const writeOn = async () => {
          for (;;) {
            await send.write(new Uint8Array(1000));
            await new Promise((resolve) => setImmediate(resolve));
          }
        };
        seen.push(`${what}: ${await failure(what === "reset" ? receive.read() : writeOn())}`);
        done += 1;
        if (done === 2) session.close(0, "");
      }),
    );
  },
  "/abandon"(session) {
    session.onBidirectional(
      settled(async ({ send, receive }) => {
        const what = new TextDecoder().decode(await receive.read());
        if (what === "reset") send.reset(0x1234_5678);
        else receive.stop(99);
      }),
    );
  },
  "/closes"(session) {
    session.close(4711, "the server is done: \u00fc");
  },
  "/waits"() {},
  "/upload"(session) {
    session.onBidirectional(
      settled(async ({ send, receive }) => {
        let bytes = 0;
        let wrong = 0;
        while (bytes < TRANSFER_BYTES) {
          const part = await receive.read();
          if (part === undefined) break;
          for (let i = 0; i < part.byteLength; i++) if (part[i] !== patternByte(bytes + i)) wrong += 1;
          bytes += part.byteLength;
        }
        await sendText(send, `${bytes} bytes, ${wrong} wrong\n`);
      }),
    );
  },
  async "/download"(session) {
    const stream = await session.openUnidirectional();
    for (let offset = 0; offset < TRANSFER_BYTES; offset += CHUNK_BYTES) {
      const chunk = new Uint8Array(CHUNK_BYTES);
      for (let i = 0; i < CHUNK_BYTES; i++) chunk[i] = patternByte(offset + i);
      await stream.write(chunk);
    }
    await stream.finish();
  },
};

/** Starts a server that plays the other part of `scenarios.mjs`. */
export async function startScenarioServer(engine: EngineName = "quiche"): Promise<ScenarioServer> {
  const origins = new Set<string | undefined>();
  const server = await listen({
    port: 0,
    engine,
    authorize: ({ path, headers }) => {
      // quinn does not tell a request's headers.
      if (engine !== "quinn") origins.add(headers.get("origin"));
      return path in SCENARIOS ? true : 404;
    },
  });
  const waiting = new Map<string, (observation: Observation) => void>();
  server.onSession((session, { path }) => {
    const seen: string[] = [];
    waiting.get(path)?.({ closed: session.closed, seen });
    waiting.delete(path);
    // Scenarios end with their session, in whatever they are doing.
    Promise.resolve(SCENARIOS[path]?.(session, seen)).catch((error: unknown) => seen.push(String(error)));
  });
  return {
    server,
    url: (path) => `${server.url.replace(/\/$/, "")}${path}`,
    origins,
    next: (path) => new Promise((resolve) => waiting.set(path, resolve)),
  };
}
