import { type CloseInfo, type ReceiveStream, type Session, StreamError } from "./session.js";

/** Two ends of one session, freshly opened, whose callbacks nobody has set. */
export interface CompliancePair {
  readonly client: Session;
  readonly server: Session;
}

/** One rule of {@link Session}; `run` throws where an engine breaks it. */
export interface ComplianceCase {
  readonly name: string;
  /**
   * What not every engine has: `datagrams` (their `maxDatagramBytes` is not 0), `empty-datagrams` among them, or
   * `wide-codes`, codes of resets and stops beyond 255. To be skipped elsewhere, by name.
   */
  readonly needs?: "datagrams" | "empty-datagrams" | "wide-codes";
  readonly run: (pair: CompliancePair) => Promise<void>;
}

function check(condition: boolean, message: string): asserts condition {
  if (!condition) throw new Error(message);
}

/** Bytes that depend on their position, so that a swap or a repeat is seen. */
function pattern(length: number, salt: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) bytes[i] = (i * 31 + (i >>> 8) * 7 + salt) & 0xff;
  return bytes;
}

function checkEqual(actual: Uint8Array, expected: Uint8Array, what: string): void {
  check(
    actual.byteLength === expected.byteLength,
    `${what}: ${actual.byteLength} bytes, expected ${expected.byteLength}`,
  );
  for (let i = 0; i < expected.byteLength; i++) {
    check(actual[i] === expected[i], `${what}: byte ${i} is ${actual[i]}, expected ${expected[i]}`);
  }
}

async function readAll(stream: ReceiveStream): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for (let chunk = await stream.read(); chunk !== undefined; chunk = await stream.read()) {
    chunks.push(chunk);
    length += chunk.byteLength;
  }
  const all = new Uint8Array(length);
  let offset = 0;
  for (const chunk of chunks) {
    all.set(chunk, offset);
    offset += chunk.byteLength;
  }
  return all;
}

async function streamErrorOf(promise: Promise<unknown>, what: string): Promise<StreamError> {
  try {
    await promise;
  } catch (error) {
    check(error instanceof StreamError, `${what}: expected a StreamError, got ${String(error)}`);
    return error;
  }
  throw new Error(`${what}: expected a StreamError, but it succeeded`);
}

/** Writes until the stream refuses. */
async function writeUntilError(write: () => Promise<void>, what: string): Promise<StreamError> {
  for (let i = 0; i < 100_000; i++) {
    try {
      await write();
    } catch (error) {
      check(error instanceof StreamError, `${what}: expected a StreamError, got ${String(error)}`);
      return error;
    }
  }
  throw new Error(`${what}: 100,000 writes succeeded`);
}

async function echoDatagrams({ client, server }: CompliancePair, sizes: readonly number[]): Promise<void> {
  server.onDatagrams((batch) => {
    for (const datagram of batch) server.sendDatagram(datagram);
  });
  for (const size of sizes) {
    const data = pattern(size, size);
    const echo = new Promise<Uint8Array>((resolve) => {
      client.onDatagrams((batch) => resolve(batch[0] ?? new Uint8Array(0)));
    });
    check(client.sendDatagram(data) === "sent", `a datagram of ${size} bytes was not sent`);
    checkEqual(await echo, data, `datagram of ${size} bytes`);
  }
}

function echoStreams(session: Session): void {
  session.onBidirectional(({ send, receive }) => {
    void (async () => {
      for (let chunk = await receive.read(); chunk !== undefined; chunk = await receive.read()) {
        await send.write(chunk);
      }
      await send.finish();
    })().catch(() => send.reset(1));
  });
}

function nextUnidirectional(session: Session): Promise<ReceiveStream> {
  return new Promise((resolve) => session.onUnidirectional(resolve));
}

/** Bytes that are given instead of written, to a reader that gives their memory back as it goes. */
async function giveAndRelease(from: Session, to: Session): Promise<void> {
  const incoming = nextUnidirectional(to);
  const send = await from.openUnidirectional();
  const sizes = [10, 400_000, 1_500_000, 70_000];
  const writing = (async () => {
    for (const size of sizes) {
      const bytes = pattern(size, size);
      await (send.give?.(bytes) ?? send.write(bytes));
    }
    await send.finish();
  })();
  const receive = await incoming;
  const expected = sizes.map((size) => pattern(size, size));
  let offset = 0;
  for (let chunk = await receive.read(); chunk !== undefined; chunk = await receive.read()) {
    for (let at = 0; at < chunk.byteLength; ) {
      const next = expected[0];
      if (next === undefined) throw new Error("more bytes came than were given");
      const part = chunk.subarray(at, at + next.byteLength - offset);
      checkEqual(part, next.subarray(offset, offset + part.byteLength), "what was given");
      at += part.byteLength;
      offset += part.byteLength;
      if (offset < next.byteLength) continue;
      expected.shift();
      offset = 0;
    }
    receive.release?.([chunk]);
  }
  check(expected.length === 0, "fewer bytes came than were given");
  await writing;
}

function checkClose(info: CloseInfo, code: number, reason: string, by: CloseInfo["by"], what: string): void {
  check(info.code === code, `${what}: code ${info.code}, expected ${code}`);
  check(info.reason === reason, `${what}: reason "${info.reason}", expected "${reason}"`);
  check(info.by === by, `${what}: closed by ${info.by}, expected ${by}`);
}

async function closeFrom(closer: Session, other: Session): Promise<void> {
  closer.close(4_000_000_000, "done für heute");
  closer.close(1, "twice");
  checkClose(await closer.closed, 4_000_000_000, "done für heute", "local", "closing side");
  checkClose(await other.closed, 4_000_000_000, "done für heute", "remote", "other side");
  check(other.sendDatagram(new Uint8Array(1)) === "closed", "a datagram after the close was not refused");
}

async function echoOneMebibyte(opener: Session, echoer: Session): Promise<void> {
  echoStreams(echoer);
  const data = pattern(1 << 20, 3);
  const { send, receive } = await opener.openBidirectional();
  const [echo] = await Promise.all([
    readAll(receive),
    (async () => {
      for (let offset = 0; offset < data.byteLength; offset += 50_000) {
        await send.write(data.subarray(offset, offset + 50_000));
      }
      await send.finish();
    })(),
  ]);
  checkEqual(echo, data, "echo");
}

async function sendOneWay(from: Session, to: Session): Promise<void> {
  const arrived = nextUnidirectional(to);
  const send = await from.openUnidirectional();
  const data = pattern(200_000, 9);
  const [received] = await Promise.all([
    arrived.then(readAll),
    (async () => {
      await send.write(data);
      await send.finish();
    })(),
  ]);
  checkEqual(received, data, "unidirectional stream");
}

async function closedStreams(closer: Session, pair: CompliancePair): Promise<void> {
  const arrived = nextUnidirectional(pair.server);
  const send = await pair.client.openUnidirectional();
  await send.write(pattern(10, 1));
  const receive = await arrived;
  await receive.read();
  const pending = streamErrorOf(receive.read(), "a pending read");
  closer.close(7, "bye");
  check((await pending).kind === "closed", "the pending read did not end with closed");
  await pair.client.closed;
  await pair.server.closed;
  check((await streamErrorOf(send.write(pattern(10, 1)), "a write")).kind === "closed", "write: not closed");
  check((await streamErrorOf(receive.read(), "a read")).kind === "closed", "read: not closed");
  const opening = await streamErrorOf(pair.client.openUnidirectional(), "an open");
  check(opening.kind === "closed", "open: not closed");
}

async function resetWith({ client, server }: CompliancePair, codes: readonly number[]): Promise<void> {
  for (const code of codes) {
    const arrived = nextUnidirectional(server);
    const send = await client.openUnidirectional();
    await send.write(pattern(10, 0));
    const receive = await arrived;
    await receive.read();
    send.reset(code);
    const error = await streamErrorOf(receive.read(), "a read after the reset");
    check(
      error.kind === "reset" && error.code === code,
      `${error.kind} ${error.code}, expected reset ${code}`,
    );
    const after = await streamErrorOf(send.write(pattern(1, 0)), "a write after a reset");
    check(after.kind === "reset", `a write after a reset: ${after.kind}`);
  }
}

async function stopWith({ client, server }: CompliancePair, codes: readonly number[]): Promise<void> {
  for (const code of codes) {
    const arrived = nextUnidirectional(server);
    const send = await client.openUnidirectional();
    await send.write(pattern(10, 0));
    (await arrived).stop(code);
    const error = await writeUntilError(() => send.write(pattern(10_000, 0)), "writes after the stop");
    check(
      error.kind === "stopped" && error.code === code,
      `${error.kind} ${error.code}, expected stopped ${code}`,
    );
  }
}

/** The rules that every engine obeys. Each case wants a fresh pair. */
export const complianceCases: readonly ComplianceCase[] = [
  {
    name: "datagrams are echoed whole",
    needs: "datagrams",
    // Two engines at the two ends may have two maxima.
    run: (pair) =>
      echoDatagrams(pair, [1, 100, Math.min(pair.client.maxDatagramBytes, pair.server.maxDatagramBytes)]),
  },
  {
    name: "an empty datagram is echoed",
    needs: "empty-datagrams",
    run: (pair) => echoDatagrams(pair, [0, 1]),
  },
  {
    name: "a datagram that is too big is refused",
    async run({ client }) {
      const outcome = client.sendDatagram(new Uint8Array(client.maxDatagramBytes + 1));
      check(outcome === "too-big", `outcome ${outcome}, expected too-big`);
    },
  },
  {
    name: "datagrams beyond the queue are refused, and counted as queued until they leave",
    needs: "datagrams",
    async run({ client, server }) {
      const data = pattern(Math.min(1000, client.maxDatagramBytes), 0);
      let received = 0;
      server.onDatagrams((batch) => {
        received += batch.length;
      });
      let sent = 0;
      let outcome = client.sendDatagram(data);
      while (outcome === "sent" && sent < 1_000_000) {
        sent += 1;
        outcome = client.sendDatagram(data);
      }
      check(
        outcome === "queue-full",
        `outcome ${outcome} after ${sent} datagrams in one turn, expected queue-full`,
      );
      check((client.stats().datagramsQueued ?? 0) > 0, "nothing is counted as queued");
      const stream = await client.openBidirectional();
      echoStreams(server);
      await stream.send.finish();
      await readAll(stream.receive);
      check(received <= sent, `${received} datagrams received of ${sent} sent`);
    },
  },
  {
    name: "a bidirectional stream from the client echoes 1 MiB",
    run: ({ client, server }) => echoOneMebibyte(client, server),
  },
  {
    name: "a bidirectional stream from the server echoes 1 MiB",
    run: ({ client, server }) => echoOneMebibyte(server, client),
  },
  {
    name: "a unidirectional stream carries bytes to the server",
    run: ({ client, server }) => sendOneWay(client, server),
  },
  {
    name: "a unidirectional stream carries bytes to the client",
    run: ({ client, server }) => sendOneWay(server, client),
  },
  {
    name: "bytes that are given arrive as they were, at a reader that gives their memory back",
    async run({ client, server }) {
      await giveAndRelease(client, server);
      await giveAndRelease(server, client);
    },
  },
  {
    name: "the writer waits for a reader that does not read",
    async run({ client, server }) {
      const arrived = nextUnidirectional(server);
      const stuck = await client.openUnidirectional();
      const totalBytes = 256 << 20;
      const chunk = pattern(1 << 18, 0);
      let written = 0;
      const writing = (async () => {
        while (written < totalBytes) {
          await stuck.write(chunk);
          written += chunk.byteLength;
        }
      })();
      const outcome = streamErrorOf(writing, "a write without a reader");
      await arrived;
      // Other streams pass the one that is stuck.
      echoStreams(server);
      const { send, receive } = await client.openBidirectional();
      for (let i = 0; i < 20; i++) {
        await send.write(pattern(100, i));
        for (let got = 0; got < 100; ) got += (await receive.read())?.byteLength ?? 100;
      }
      stuck.reset(1);
      check((await outcome).kind === "reset", "the waiting write did not end with the reset");
      check(written < totalBytes, "the writer never waited");
    },
  },
  { name: "a reset carries its code to the reader", run: (pair) => resetWith(pair, [0, 29, 30, 31, 255]) },
  {
    name: "a reset carries a code of 32 bits",
    needs: "wide-codes",
    run: (pair) => resetWith(pair, [256, 4_294_967_295]),
  },
  { name: "a stop carries its code to the writer", run: (pair) => stopWith(pair, [0, 29, 30, 31, 255]) },
  {
    name: "a stop carries a code of 32 bits",
    needs: "wide-codes",
    run: (pair) => stopWith(pair, [256, 4_294_967_295]),
  },
  {
    name: "the halves of a bidirectional stream end apart",
    async run({ client, server }) {
      const arrived = new Promise<{ got: Uint8Array }>((resolve) => {
        server.onBidirectional(({ send, receive }) => {
          void (async () => {
            const got = await readAll(receive);
            await send.write(pattern(1000, 5));
            await send.finish();
            resolve({ got });
          })();
        });
      });
      const { send, receive } = await client.openBidirectional();
      await send.write(pattern(500, 4));
      await send.finish();
      checkEqual((await arrived).got, pattern(500, 4), "request");
      checkEqual(await readAll(receive), pattern(1000, 5), "response after the request ended");
    },
  },
  { name: "the client closes with code and reason", run: ({ client, server }) => closeFrom(client, server) },
  { name: "the server closes with code and reason", run: ({ client, server }) => closeFrom(server, client) },
  { name: "streams fail after the client closes", run: (pair) => closedStreams(pair.client, pair) },
  { name: "streams fail after the server closes", run: (pair) => closedStreams(pair.server, pair) },
  {
    name: "200 unidirectional streams one after another",
    async run({ client, server }) {
      const arrived: ((stream: ReceiveStream) => void)[] = [];
      server.onUnidirectional((stream) => arrived.shift()?.(stream));
      for (let i = 0; i < 200; i++) {
        const next = new Promise<ReceiveStream>((resolve) => arrived.push(resolve));
        const send = await client.openUnidirectional();
        await send.write(pattern(3000, i));
        await send.finish();
        checkEqual(await readAll(await next), pattern(3000, i), `stream ${i}`);
      }
    },
  },
  {
    name: "what arrives before a callback is set waits for it",
    async run({ client, server }) {
      const { send, receive } = await client.openBidirectional();
      const early = await client.openUnidirectional();
      await early.write(pattern(100, 1));
      await early.finish();
      await send.write(pattern(100, 2));
      await send.finish();
      checkEqual(await readAll(await nextUnidirectional(server)), pattern(100, 1), "early stream");
      echoStreams(server);
      checkEqual(await readAll(receive), pattern(100, 2), "early bidirectional stream");
    },
  },
];
