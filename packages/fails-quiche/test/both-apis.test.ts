import type { W3cReadable, W3cWebTransport, W3cWritable } from "@sluice/transport";
import t, { type Test } from "tap";
import { type ApiPair, combinations } from "./api-pairs.js";

const TRANSFER_BYTES = 16 << 20;
const CHUNK_BYTES = 1 << 16;

const text = (value: string) => new TextEncoder().encode(value);

/** Byte `i` of every transfer. */
const patternByte = (i: number) => (i * 31 + (i >> 16)) & 0xff;

/** A reason that carries its code to either implementation. */
const withCode = (code: number) => Object.assign(new Error(`code ${code}`), { code, streamErrorCode: code });

/** The code in an error of either implementation. */
function codeOf(error: unknown): number | undefined {
  if (typeof error !== "object" || error === null) return undefined;
  if ("streamErrorCode" in error && typeof error.streamErrorCode === "number") return error.streamErrorCode;
  const match = /with code:(\d+)$/.exec("message" in error ? String(error.message) : "");
  return match === null ? undefined : Number(match[1]);
}

async function failure(attempt: Promise<unknown>): Promise<unknown> {
  try {
    await attempt;
  } catch (error) {
    return error;
  }
  throw new Error("it did not fail");
}

async function next<T>(readable: W3cReadable<T>): Promise<T> {
  const { value } = await readable.getReader().read();
  if (value === undefined) throw new Error("the stream has ended");
  return value;
}

async function readAll(readable: W3cReadable<Uint8Array>): Promise<string> {
  const reader = readable.getReader();
  const parts: Uint8Array[] = [];
  for (;;) {
    const { done, value } = await reader.read();
    if (done || value === undefined) return Buffer.concat(parts).toString();
    parts.push(value);
  }
}

async function sendAll(writable: W3cWritable, data: string): Promise<void> {
  const writer = writable.getWriter();
  if (data !== "") await writer.write(text(data));
  await writer.close();
}

function datagramWriter({ datagrams }: W3cWebTransport) {
  const writable = datagrams.createWritable?.() ?? datagrams.writable;
  if (writable === undefined) throw new Error("no datagrams");
  return writable.getWriter();
}

async function upload(writable: W3cWritable): Promise<void> {
  const writer = writable.getWriter();
  for (let offset = 0; offset < TRANSFER_BYTES; offset += CHUNK_BYTES) {
    const chunk = new Uint8Array(CHUNK_BYTES);
    for (let i = 0; i < CHUNK_BYTES; i++) chunk[i] = patternByte(offset + i);
    await writer.write(chunk);
  }
  await writer.close();
}

async function countWrong(readable: W3cReadable<Uint8Array>): Promise<{ bytes: number; wrong: number }> {
  const reader = readable.getReader();
  let bytes = 0;
  let wrong = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done || value === undefined) return { bytes, wrong };
    for (let i = 0; i < value.byteLength; i++) if (value[i] !== patternByte(bytes + i)) wrong += 1;
    bytes += value.byteLength;
  }
}

type Case = (t: Test, from: W3cWebTransport, to: W3cWebTransport) => Promise<void>;

/** Each runs in both directions. */
const cases: Readonly<Record<string, Case>> = {
  async "datagrams arrive whole"(t, from, to) {
    const reader = to.datagrams.readable.getReader();
    const writer = datagramWriter(from);
    t.ok(from.datagrams.maxDatagramSize >= 1000);
    for (const size of [1, 100, from.datagrams.maxDatagramSize]) {
      const data = new Uint8Array(size).map((_, i) => patternByte(i + size));
      await writer.write(data);
      t.strictSame(Buffer.from((await reader.read()).value ?? []), Buffer.from(data), `${size} bytes`);
    }
  },
  async "unidirectional streams arrive, empty ones too"(t, from, to) {
    const streams = to.incomingUnidirectionalStreams.getReader();
    for (const data of ["", "one", "two ".repeat(50_000)]) {
      const sent = from.createUnidirectionalStream().then((writable) => sendAll(writable, data));
      const { value } = await streams.read();
      t.equal(value === undefined ? undefined : await readAll(value), data);
      await sent;
    }
  },
  async "bidirectional streams carry a question, then its answer"(t, from, to) {
    const question = "question ".repeat(10_000);
    const asking = from.createBidirectionalStream().then(async ({ readable, writable }) => {
      await sendAll(writable, question);
      return readAll(readable);
    });
    const { readable, writable } = await next(to.incomingBidirectionalStreams);
    t.equal(await readAll(readable), question);
    await sendAll(writable, "answer");
    t.equal(await asking, "answer");
  },
  async "a reset carries its code, and the other half lives on"(t, from, to) {
    const { readable, writable } = await from.createBidirectionalStream();
    const writer = writable.getWriter();
    await writer.write(text("begin"));
    const incoming = await next(to.incomingBidirectionalStreams);
    const reader = incoming.readable.getReader();
    t.equal(Buffer.from((await reader.read()).value ?? []).toString(), "begin");
    await writer.abort(withCode(200));
    t.equal(codeOf(await failure(reader.read())), 200);
    await sendAll(incoming.writable, "still here");
    t.equal(await readAll(readable), "still here");
  },
  async "a stop carries its code, and the other half lives on"(t, from, to) {
    const { readable, writable } = await from.createBidirectionalStream();
    await writable.getWriter().write(text("begin"));
    const incoming = await next(to.incomingBidirectionalStreams);
    await readable.getReader().cancel(withCode(33));
    const writer = incoming.writable.getWriter();
    const writing = async () => {
      for (;;) {
        await writer.write(new Uint8Array(1000));
        await new Promise((resolve) => setImmediate(resolve));
      }
    };
    t.equal(codeOf(await failure(writing())), 33);
    t.equal(Buffer.from((await incoming.readable.getReader().read()).value ?? []).toString(), "begin");
  },
  async "a writer without a reader waits, and its reset arrives all the same"(t, from, to) {
    const writer = (await from.createUnidirectionalStream()).getWriter();
    const limit = 256 << 20;
    let written = 0;
    const writing = (async () => {
      for (; written < limit; written += 1 << 18) await writer.write(new Uint8Array(1 << 18));
    })();
    const failed = failure(writing);
    const stuck = await next(to.incomingUnidirectionalStreams);
    // A stream beside it passes, and while it does, the writer comes to a stop.
    const echoing = next(to.incomingBidirectionalStreams).then(async ({ readable, writable }) => {
      const reader = readable.getReader();
      const echo = writable.getWriter();
      for (let { value } = await reader.read(); value !== undefined; { value } = await reader.read()) {
        await echo.write(new Uint8Array(value));
      }
      await echo.close();
    });
    const { readable, writable } = await from.createBidirectionalStream();
    const question = writable.getWriter();
    const answer = readable.getReader();
    for (let still = 0, before = 0; still < 30 && written < limit; ) {
      await question.write(text("?"));
      await answer.read();
      still = written === before ? still + 1 : 0;
      before = written;
    }
    await question.close();
    await echoing;
    await writer.abort(withCode(9));
    await failed;
    t.ok(written < limit, `${written >> 20} MiB`);
    const reader = stuck.getReader();
    const reading = async () => {
      for (;;) if ((await reader.read()).done) return;
    };
    t.equal(codeOf(await failure(reading())), 9);
  },
  async "16 MiB arrive as they were sent"(t, from, to) {
    const sent = from.createUnidirectionalStream().then(upload);
    t.strictSame(await countWrong(await next(to.incomingUnidirectionalStreams)), {
      bytes: TRANSFER_BYTES,
      wrong: 0,
    });
    await sent;
  },
  async "a close carries code and reason, and ends the streams"(t, from, to) {
    const writer = (await from.createUnidirectionalStream()).getWriter();
    await writer.write(text("open"));
    const reader = (await next(to.incomingUnidirectionalStreams)).getReader();
    await reader.read();
    const reading = failure(reader.read());
    const stuck = (await from.createUnidirectionalStream()).getWriter();
    const writing = stuck.write(new Uint8Array(64 << 20)).catch(() => {});
    const failed = failure(stuck.closed);
    const info = { closeCode: 4_000_000_000, reason: "done für heute" };
    from.close(info);
    t.strictSame({ ...(await to.closed) }, info, "the other side");
    t.strictSame({ ...(await from.closed) }, info, "the closing side");
    t.equal(codeOf(await reading), undefined, "a read that waits fails without the code of a reset");
    await failure(writer.write(text("more")));
    await Promise.all([writing, failed]);
  },
};

for (const { name, connect, start } of combinations) {
  t.test(name, async (t) => {
    const server = await start();
    t.teardown(() => server.close());
    const open = async (): Promise<ApiPair> => {
      const arrived = server.next();
      return { client: await connect(server.url, server.certificateHash), server: await arrived };
    };
    for (const [what, run] of Object.entries(cases)) {
      await t.test(`${what}, to the server`, async (t) => {
        const pair = await open();
        await run(t, pair.client, pair.server);
        pair.client.close();
      });
      await t.test(`${what}, to the client`, async (t) => {
        const pair = await open();
        await run(t, pair.server, pair.client);
        pair.client.close();
      });
    }
    await t.test("statistics", async (t) => {
      const pair = await open();
      const stats = await pair.client.getStats?.();
      t.type(stats?.datagrams?.expiredOutgoing, "number");
      pair.client.close();
    });
  });
}
