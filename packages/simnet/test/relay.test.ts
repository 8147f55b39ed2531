import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { performance } from "node:perf_hooks";
import { setTimeout as delay } from "node:timers/promises";
import {
  createRelay,
  type LinkParameters,
  type Relay,
  type RelayDirectionStats,
  type RelayOptions,
} from "@sluice/simnet";
import t, { type Test } from "tap";

/** Real sockets on loopback, so real time: every wait below is for an event or a count, with a limit. */
const LIMIT_MS = 10_000;

async function bound(t: Test, host = "127.0.0.1"): Promise<Socket> {
  const socket = createSocket({
    type: host.includes(":") ? "udp6" : "udp4",
    recvBufferSize: 4 * 1024 * 1024,
  });
  socket.bind(0, host);
  await once(socket, "listening");
  t.teardown(() => new Promise<void>((resolve) => socket.close(resolve)));
  return socket;
}

async function startEcho(t: Test, host = "127.0.0.1") {
  const socket = await bound(t, host);
  const sources = new Set<number>();
  let received = 0;
  socket.on("message", (payload, from) => {
    received++;
    sources.add(from.port);
    socket.send(payload, from.port, from.address);
  });
  return { socket, sources, received: () => received };
}

async function startRelay(t: Test, echo: Socket, options: Partial<RelayOptions> = {}): Promise<Relay> {
  const host = echo.address().address;
  const relay = await createRelay({
    listen: { host, port: 0 },
    target: { host, port: echo.address().port },
    up: {},
    down: {},
    seed: 1,
    ...options,
  });
  t.teardown(() => relay.close());
  return relay;
}

async function until(what: string, condition: () => boolean): Promise<void> {
  const endMs = performance.now() + LIMIT_MS;
  while (!condition()) {
    if (performance.now() > endMs) throw new Error(`timed out: ${what}`);
    await delay(2);
  }
}

const settled = (d: RelayDirectionStats): number =>
  d.forwarded + d.droppedLoss + d.droppedQueue + d.droppedMtu + d.droppedPeer + d.droppedSocket;

/** Sends numbered packets in small groups, so that no socket buffer overflows. */
async function sendNumbered(client: Socket, relay: Relay, count: number, bytes = 600): Promise<void> {
  for (let i = 0; i < count; i++) {
    const payload = Buffer.alloc(bytes);
    payload.writeUInt32BE(i);
    client.send(payload, relay.address.port, relay.address.host);
    if (i % 50 === 49) await delay(2);
  }
}

t.test("a perfect relay forwards both ways, byte for byte and in order", async (t) => {
  const echo = await startEcho(t);
  const relay = await startRelay(t, echo.socket);
  const client = await bound(t);
  const got: number[] = [];
  client.on("message", (payload) => got.push(payload.readUInt32BE()));
  await sendNumbered(client, relay, 500);
  await until("500 echoes", () => got.length === 500);
  t.same(
    got,
    Array.from({ length: 500 }, (_, i) => i),
  );
  const { up, down, peers } = relay.stats();
  t.equal(peers, 1);
  t.match(up, { offered: 500, delivered: 500, forwarded: 500, held: 0 });
  t.match(down, { offered: 500, delivered: 500, forwarded: 500, held: 0 });
  t.equal(up.offeredBytes, 500 * 628, "with 28 bytes of IP and UDP headers");
});

t.test("corrupted packets arrive as long as they were and changed", async (t) => {
  const echo = await startEcho(t);
  const relay = await startRelay(t, echo.socket, { up: { corrupt: 1 } });
  const client = await bound(t);
  const got: Buffer[] = [];
  client.on("message", (payload) => got.push(payload));
  for (let i = 0; i < 20; i++) client.send(Buffer.alloc(100), relay.address.port, relay.address.host);
  await until("all are back", () => got.length === 20);
  t.ok(got.every((payload) => payload.length === 100 && payload.some((byte) => byte !== 0)));
  t.equal(relay.stats().up.corrupted, 20);
  t.equal(relay.stats().down.corrupted, 0);
});

t.test("loss, queue, MTU and duplicates: every packet is accounted for", async (t) => {
  const echo = await startEcho(t);
  const up: LinkParameters = {
    rateBitsPerSecond: 60e6,
    queueMs: 2,
    delayMs: 3,
    loss: 0.1,
    burst: 3,
    duplicate: 0.05,
    mtuBytes: 1300,
  };
  const relay = await startRelay(t, echo.socket, { up, down: { loss: 0.2, delayMs: 2 }, seed: 77 });
  const client = await bound(t);
  let got = 0;
  client.on("message", () => got++);
  const count = 2000;
  await sendNumbered(client, relay, count - 10);
  await sendNumbered(client, relay, 10, 1400);
  const idle = () => {
    const s = relay.stats();
    return (
      s.up.offered === count && s.up.held === 0 && s.down.held === 0 && s.down.offered === s.up.forwarded
    );
  };
  await until("all packets through", idle);
  const s = relay.stats();
  await until("all answers received", () => got === s.down.forwarded);
  t.equal(s.up.offered, count);
  t.equal(s.up.delivered + s.up.droppedLoss + s.up.droppedQueue + s.up.droppedMtu, count);
  t.equal(s.up.forwarded, s.up.delivered + s.up.duplicated);
  t.equal(echo.received(), s.up.forwarded);
  t.equal(settled(s.up), s.up.offered + s.up.duplicated);
  t.equal(settled(s.down), s.down.offered);
  t.equal(s.up.droppedMtu, 10);
  t.ok(s.up.droppedQueue > 0 && s.up.droppedLoss > 20 && s.up.duplicated > 5, JSON.stringify(s.up));
  t.ok(
    Math.abs(s.down.droppedLoss / s.down.offered - 0.2) < 0.07,
    `seed 77: ${s.down.droppedLoss} of ${s.down.offered}`,
  );
});

t.test("packets are delayed, never less than asked and in the median not much more", async (t) => {
  const echo = await startEcho(t);
  const relay = await startRelay(t, echo.socket, { up: { delayMs: 15 }, down: { delayMs: 10 } });
  const client = await bound(t);
  const roundTripsMs: number[] = [];
  client.on("message", (payload) => roundTripsMs.push(performance.now() - payload.readDoubleBE()));
  for (let i = 0; i < 60; i++) {
    const payload = Buffer.alloc(200);
    payload.writeDoubleBE(performance.now());
    client.send(payload, relay.address.port, relay.address.host);
    await delay(3);
  }
  await until("60 echoes", () => roundTripsMs.length === 60);
  roundTripsMs.sort((a, b) => a - b);
  t.ok(roundTripsMs[0]! >= 25, `shortest ${roundTripsMs[0]} ms`);
  t.ok(roundTripsMs[30]! < 40, `median ${roundTripsMs[30]} ms`);
});

t.test("each client has a source port of its own, and answers reach the one that asked", async (t) => {
  const echo = await startEcho(t);
  const relay = await startRelay(t, echo.socket);
  const clients = await Promise.all([bound(t), bound(t), bound(t)]);
  const got = clients.map(() => [] as string[]);
  clients.forEach((client, i) => {
    client.on("message", (payload) => got[i]!.push(payload.toString()));
    client.send(`client ${i}`, relay.address.port, relay.address.host);
  });
  await until("three answers", () => got.every((list) => list.length === 1));
  t.same(got, [["client 0"], ["client 1"], ["client 2"]]);
  t.equal(echo.sources.size, 3);
  t.equal(relay.stats().peers, 3);
});

t.test("clients above the limit are refused and counted, until a silent one is forgotten", async (t) => {
  const echo = await startEcho(t);
  const relay = await startRelay(t, echo.socket, { maxPeers: 1, idleMs: 50 });
  const [first, second] = [await bound(t), await bound(t)];
  let answers = 0;
  second.on("message", () => answers++);
  const firstAnswer = once(first, "message");
  first.send("a", relay.address.port, relay.address.host);
  await firstAnswer;
  second.send("b", relay.address.port, relay.address.host);
  await until("the refusal", () => relay.stats().up.droppedPeers === 1);
  t.equal(answers, 0);
  await delay(60);
  second.send("c", relay.address.port, relay.address.host);
  await until("the answer after eviction", () => answers === 1);
  t.equal(relay.stats().peers, 1);
});

t.test("rebind gives a client a new source port and the path goes on", async (t) => {
  const echo = await startEcho(t);
  const relay = await startRelay(t, echo.socket);
  const client = await bound(t);
  for (const round of [1, 2, 3]) {
    const answer = once(client, "message");
    client.send(`round ${round}`, relay.address.port, relay.address.host);
    t.equal(String((await answer)[0]), `round ${round}`);
    t.equal(echo.sources.size, round, "a port not seen before");
    t.equal(await relay.rebind(), 1);
  }
});

t.test("parameters change live; bad ones change nothing", async (t) => {
  const echo = await startEcho(t);
  const relay = await startRelay(t, echo.socket);
  const client = await bound(t);
  relay.set({ up: { loss: 1 } });
  client.send("lost", relay.address.port, relay.address.host);
  await until("the loss", () => relay.stats().up.droppedLoss === 1);
  t.throws(() => relay.set({ up: { loss: 0, burst: 0 }, down: { loss: 1 } }), {
    name: "RangeError",
    message: /burst/,
  });
  t.throws(() => relay.set({ up: { loss: 0 }, down: { loss: 3 } }), { name: "RangeError", message: /loss/ });
  client.send("lost", relay.address.port, relay.address.host);
  await until("the second loss", () => relay.stats().up.droppedLoss === 2);
  relay.set({ up: { loss: 0 } });
  const answer = once(client, "message");
  client.send("kept", relay.address.port, relay.address.host);
  t.equal(String((await answer)[0]), "kept");
});

t.test("the bytes that it holds are bounded", async (t) => {
  const echo = await startEcho(t);
  const relay = await startRelay(t, echo.socket, { up: { delayMs: 60_000 }, maxHeldBytes: 10_000 });
  const client = await bound(t);
  await sendNumbered(client, relay, 50, 1000);
  await until("50 packets", () => relay.stats().up.offered + relay.stats().up.droppedOverflow === 50);
  t.match(relay.stats().up, { held: 7, droppedOverflow: 43 });
  await relay.close();
  t.match(relay.stats(), { up: { held: 0, droppedPeer: 7, forwarded: 0 }, peers: 0 });
  t.equal(settled(relay.stats().up), 7);
});

t.test("works over IPv6 and with names", async (t) => {
  const echo = await startEcho(t, "::1").catch(() => undefined);
  if (echo === undefined) {
    t.comment("this machine has no IPv6 loopback");
  } else {
    const relay = await startRelay(t, echo.socket);
    const client = await bound(t, "::1");
    const answer = once(client, "message");
    client.send("six", relay.address.port, "::1");
    t.equal(String((await answer)[0]), "six");
    t.equal(relay.stats().up.offeredBytes, 3 + 48);
  }
  const echo4 = await startEcho(t);
  const relay = await startRelay(t, echo4.socket, { listen: { host: "localhost", port: 0 } });
  t.match(relay.address.host, /^(127\.0\.0\.1|::1)$/);
});

t.test("closing frees the port, twice is once, and a taken port is an error", async (t) => {
  const echo = await startEcho(t);
  const relay = await startRelay(t, echo.socket);
  const { host, port } = relay.address;
  const options = { listen: { host, port }, target: { host, port: 1 }, up: {}, down: {}, seed: 1 };
  await t.rejects(createRelay(options), { code: "EADDRINUSE" });
  await Promise.all([relay.close(), relay.close()]);
  const again = await createRelay(options);
  t.equal(again.address.port, port);
  await again.close();
});

t.test("bad options are refused by name", async (t) => {
  const at = { host: "127.0.0.1", port: 0 };
  const options = { listen: at, target: at, up: {}, down: {}, seed: 1 };
  await t.rejects(createRelay({ ...options, up: { loss: 2 } }), { name: "RangeError", message: /loss/ });
  await t.rejects(createRelay({ ...options, maxPeers: 0 }), { name: "RangeError", message: /maxPeers/ });
  await t.rejects(createRelay({ ...options, idleMs: Number.NaN }), { name: "RangeError", message: /idleMs/ });
  await t.rejects(createRelay({ ...options, seed: Number.NaN }), { name: "RangeError", message: /seed/ });
});
