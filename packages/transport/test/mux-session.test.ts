import {
  complianceCases,
  decodeMuxFrame,
  encodeMuxFrame,
  type MuxFrame,
  MuxSession,
  type ReceiveStream,
  StreamError,
  VIOLATION_CLOSE_CODE,
} from "@sluice/transport";
import t from "tap";
import { createChannelPair, MemoryChannel } from "./memory-channel.js";

function openPair() {
  const channels = createChannelPair();
  const client = new MuxSession(channels.client, "client");
  const server = new MuxSession(channels.server, "server");
  return { client, server, channels };
}

for (const { name, needs, run } of complianceCases) {
  const skip = needs?.endsWith("datagrams")
    ? "a session over one reliable connection has no datagrams"
    : false;
  t.test(`multiplexed: ${name}`, { skip }, () => run(openPair()));
}

/** Violations of the wire, each seen by a server whose client has opened streams 0 (both ways) and 2 (one way). */
const violations: [string, (MuxFrame | undefined)[]][] = [
  ["a text message", [undefined]],
  ["OPEN with a gap", [{ type: "open", stream: 8 }]],
  ["OPEN twice", [{ type: "open", stream: 0 }]],
  ["OPEN of a stream of the other side", [{ type: "open", stream: 1 }]],
  ["DATA for a stream that is not open", [{ type: "data", stream: 4, bytes: new Uint8Array(1) }]],
  ["DATA on a one-way stream of the other side", [{ type: "data", stream: 3, bytes: new Uint8Array(1) }]],
  [
    "DATA after FIN",
    [
      { type: "fin", stream: 0 },
      { type: "data", stream: 0, bytes: new Uint8Array(1) },
    ],
  ],
  [
    "RESET after FIN",
    [
      { type: "fin", stream: 2 },
      { type: "reset", stream: 2, code: 1 },
    ],
  ],
  ["STOP of the peer's own one-way stream", [{ type: "stop", stream: 2, code: 1 }]],
  ["STOP of a stream that was never opened", [{ type: "stop", stream: 1, code: 1 }]],
  ["credit for a stream that was never opened", [{ type: "stream-credit", stream: 4, bytes: 1 }]],
  [
    "more than the credit of a stream",
    Array.from({ length: 33 }, () => ({ type: "data" as const, stream: 2, bytes: new Uint8Array(16_384) })),
  ],
  [
    "more streams than their credit",
    Array.from({ length: 128 }, (_, i) => ({ type: "open" as const, stream: 6 + 4 * i })),
  ],
];

for (const [name, frames] of violations) {
  t.test(`violation: ${name}`, async (t) => {
    const channel = new MemoryChannel();
    const session = new MuxSession(channel, "server");
    session.onUnidirectional(() => {});
    channel.deliver(encodeMuxFrame({ type: "open", stream: 0 }));
    channel.deliver(encodeMuxFrame({ type: "open", stream: 2 }));
    for (const frame of frames.slice(0, -1)) {
      if (frame !== undefined) channel.deliver(encodeMuxFrame(frame));
    }
    t.equal(channel.closedWith, undefined, "all but the last are fine");
    const last = frames.at(-1);
    channel.deliver(last === undefined ? undefined : encodeMuxFrame(last));
    t.equal(channel.closedWith?.code, VIOLATION_CLOSE_CODE);
    t.match(await session.closed, { by: "transport", reason: /broke the protocol/ });
  });
}

t.test("all streams together keep to the credit of the session", async (t) => {
  const channel = new MemoryChannel();
  const session = new MuxSession(channel, "server");
  session.onUnidirectional(() => {});
  const bytes = new Uint8Array(16_384);
  for (let i = 0; i < 9; i++) channel.deliver(encodeMuxFrame({ type: "open", stream: 2 + 4 * i }));
  // Eight streams fill the session's 4 MiB; the ninth has credit of its own, but the session has none.
  for (let i = 0; i < 8 * 32; i++)
    channel.deliver(encodeMuxFrame({ type: "data", stream: 2 + 4 * (i % 8), bytes }));
  t.equal(channel.closedWith, undefined);
  channel.deliver(encodeMuxFrame({ type: "data", stream: 34, bytes: bytes.subarray(0, 1) }));
  t.equal(channel.closedWith?.code, VIOLATION_CLOSE_CODE);
});

t.test("control frames, the first stream and small writes pass a big one, in chunks", async (t) => {
  const { client, server, channels } = openPair();
  server.onUnidirectional(() => {});
  server.onBidirectional(() => {});
  const first = await client.openBidirectional();
  const big = await client.openUnidirectional();
  const small = await client.openUnidirectional();
  channels.client.release(0);
  const before = channels.client.sent.length;
  const writes = [
    big.write(new Uint8Array(100_000)),
    small.write(new Uint8Array(100)),
    first.send.write(new Uint8Array(100)),
  ];
  small.finish().catch(() => {});
  const opened = client.openUnidirectional();
  // An OPEN is queued a turn after the call.
  for (let i = 0; i < 5; i++) await Promise.resolve();
  channels.client.release(1);
  await Promise.all([...writes, opened]);
  const order = channels.client.sent.slice(before).map((message) => {
    const frame = decodeMuxFrame(message);
    return frame.type === "data"
      ? `data ${frame.stream} ${frame.bytes.byteLength}`
      : `${frame.type} ${"stream" in frame ? frame.stream : ""}`;
  });
  t.strictSame(order.slice(0, 6), [
    "open 10",
    "data 0 100",
    "data 6 100",
    "fin 6",
    "data 2 16384",
    "data 2 16384",
  ]);
  t.ok(channels.client.sent.every((message) => message.byteLength <= 5 + 16_384));
});

t.test("a steady flow of small writes does not starve a big one", async (t) => {
  const { client, server, channels } = openPair();
  let received = 0;
  const drain = async (stream: ReceiveStream) => {
    for (let chunk = await stream.read(); chunk !== undefined; chunk = await stream.read())
      received += chunk.byteLength;
  };
  server.onUnidirectional((stream) => void drain(stream).catch(() => {}));
  const big = await client.openUnidirectional();
  const smalls = await Promise.all(Array.from({ length: 20 }, () => client.openUnidirectional()));
  let isDone = false;
  const flow = smalls.map(async (stream) => {
    for (let i = 0; i < 20_000 && !isDone; i++) await stream.write(new Uint8Array(64));
    return isDone;
  });
  await big.write(new Uint8Array(1_000_000));
  isDone = true;
  t.ok(received > 500_000, `${received} bytes were received`);
  t.ok(
    (await Promise.all(flow)).every((done) => done),
    "the big write ended while the small ones went on",
  );
  t.ok(channels.server.sent.some((message) => decodeMuxFrame(message).type === "stream-credit"));
});

t.test("many tiny pieces are joined while they wait", async (t) => {
  const channel = new MemoryChannel();
  const session = new MuxSession(channel, "server");
  const arrived = new Promise<ReceiveStream>((resolve) => session.onUnidirectional(resolve));
  channel.deliver(encodeMuxFrame({ type: "open", stream: 2 }));
  const receive = await arrived;
  for (let i = 0; i < 10_000; i++)
    channel.deliver(encodeMuxFrame({ type: "data", stream: 2, bytes: Uint8Array.of(i & 0xff) }));
  channel.deliver(encodeMuxFrame({ type: "fin", stream: 2 }));
  let offset = 0;
  let chunks = 0;
  for (let chunk = await receive.read(); chunk !== undefined; chunk = await receive.read()) {
    chunks += 1;
    for (const byte of chunk) if (byte !== (offset++ & 0xff)) t.fail(`byte ${offset - 1} is ${byte}`);
  }
  t.equal(offset, 10_000);
  t.ok(chunks < 10, `${chunks} chunks`);
});

t.test("a peer that does not read what it provokes is cut off", async (t) => {
  const channel = new MemoryChannel();
  channel.release(0);
  const session = new MuxSession(channel, "server");
  session.onUnidirectional((stream) => stream.stop(1));
  for (let i = 0; i < 10_000 && channel.closedWith === undefined; i++) {
    channel.deliver(encodeMuxFrame({ type: "open", stream: 2 + 4 * i }));
    // The stop goes out before the end is there.
    await Promise.resolve();
    channel.deliver(encodeMuxFrame({ type: "fin", stream: 2 + 4 * i }));
  }
  t.equal(channel.closedWith?.code, 4008);
  t.strictSame(await session.closed, { code: 0, reason: "the peer does not read", by: "transport" });
});

t.test("more streams than the credit wait for the end of others", async (t) => {
  const { client, server } = openPair();
  const arrived: ReceiveStream[] = [];
  server.onUnidirectional((stream) => arrived.push(stream));
  const streams = await Promise.all(Array.from({ length: 128 }, () => client.openUnidirectional()));
  let isOpen = false;
  const next = client.openUnidirectional().then(() => {
    isOpen = true;
  });
  for (let i = 0; i < 100; i++) await Promise.resolve();
  t.equal(isOpen, false);
  for (const stream of streams) await stream.finish();
  await next;
  t.equal(isOpen, true);
});

t.test("an end without CLOSE is told as such", async (t) => {
  const { client, channels } = openPair();
  const waiting = client.openUnidirectional().then((stream) => stream.write(new Uint8Array(1 << 20)));
  channels.client.end(1006, "");
  t.strictSame(await client.closed, {
    code: 0,
    reason: "the WebSocket closed with code 1006",
    by: "transport",
  });
  await t.rejects(waiting, new StreamError("closed", 0));
});

t.test("a long reason is cut at a character, and both ends say the same", async (t) => {
  const { client, server } = openPair();
  client.close(1, "ä".repeat(1000));
  const [near, far] = await Promise.all([client.closed, server.closed]);
  t.equal(far.reason, "ä".repeat(512));
  t.equal(near.reason, far.reason);
});
