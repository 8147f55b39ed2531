import { connect, type Http3Server, listen } from "@sluice/http3";
import { createRelay, type LinkParameters, type Relay } from "@sluice/simnet";
import type { Session } from "@sluice/transport";
import t, { type Test } from "tap";
import { until } from "./until.js";

const SEED = 20_261_127;
/** Far enough away to be no peer on this machine, whose packets would be larger. */
const LINK: LinkParameters = { delayMs: 5 };
/** What a datagram of a session costs in a packet here: QUIC and HTTP/3 (RFC 9000 17.3.1, RFC 9221 4, RFC 9297 2.1). */
const OVERHEAD_BYTES = 41;

async function startEcho(t: Test, host: string): Promise<{ server: Http3Server; sessions: Session[] }> {
  const server = await listen({ port: 0, host, engine: "quiche" });
  t.teardown(() => server.close());
  const sessions: Session[] = [];
  server.onSession((session) => {
    sessions.push(session);
    session.onDatagrams((batch) => {
      // The two ends measure a path each for itself.
      for (const data of batch) session.sendDatagram(data.subarray(0, session.maxDatagramBytes));
    });
    session.onBidirectional(async ({ send, receive }) => {
      for (let part = await receive.read(); part !== undefined; part = await receive.read()) {
        await send.write(part);
      }
      await send.finish();
    });
  });
  return { server, sessions };
}

async function open(t: Test, server: Http3Server, url = server.url): Promise<Session> {
  const session = await connect(url, { certificateHash: server.certificateHash ?? "", engine: "quiche" });
  t.teardown(() => session.close());
  return session;
}

/** Opens a session over a relay, whose MTU counts the headers of IP and UDP: 28 bytes, with IPv6 48. */
async function openOverRelay(t: Test, link: LinkParameters = {}, host = "127.0.0.1") {
  const { server, sessions } = await startEcho(t, host);
  const both = { ...LINK, ...link };
  t.comment(`seed ${SEED}`);
  const relay = await createRelay({
    listen: { host, port: 0 },
    target: { host, port: Number(new URL(server.url).port) },
    ...{ up: both, down: both, seed: SEED },
  });
  t.teardown(() => relay.close());
  const session = await open(t, server, server.url.replace(/\d+$/, String(relay.address.port)));
  await until(() => sessions.length === 1);
  return { session, relay, peer: sessions[0]!, peers: sessions };
}

function setMtu(relay: Relay, mtuBytes: number | undefined): void {
  relay.set({ up: { mtuBytes }, down: { mtuBytes } });
}

/** Sends a datagram of the present size until one comes back: some of them may be lost while the path changes. */
async function echo(session: Session): Promise<number> {
  let length = -1;
  session.onDatagrams((batch) => {
    for (const { byteLength } of batch) length = Math.max(length, byteLength);
  });
  await until(() => {
    session.sendDatagram(new Uint8Array(session.maxDatagramBytes));
    return length >= 0;
  });
  return length;
}

async function echoStream(session: Session, bytes: number): Promise<number> {
  const { send, receive } = await session.openBidirectional();
  void send.write(new Uint8Array(bytes)).then(() => send.finish());
  let received = 0;
  for (let part = await receive.read(); part !== undefined; part = await receive.read())
    received += part.byteLength;
  return received;
}

for (const [name, host, urls] of [
  ["IPv4", "127.0.0.1", ["https://127.0.0.1"]],
  ["IPv6", "::1", ["https://[::1]"]],
  ["IPv6 that takes IPv4 as well", "::", ["https://127.0.0.1", "https://[::1]", "https://localhost"]],
] as const) {
  t.test(`a server on ${host}: ${name}`, async (t) => {
    const { server } = await startEcho(t, host);
    const { port, hostname } = new URL(server.url);
    t.equal(hostname, host.includes(":") ? `[${host}]` : host);
    for (const url of urls) {
      const session = await open(t, server, `${url}:${port}`);
      t.ok((await echo(session)) > 1000, url);
      t.equal(await echoStream(session, 100_000), 100_000);
    }
  });
}

t.test("peers on one machine find packets of 15,872 bytes, and no more than the option says", async (t) => {
  const { server, sessions } = await startEcho(t, "127.0.0.1");
  const session = await open(t, server);
  await until(() => sessions.length === 1);
  // A busy machine may answer too late to be known as this one; then Ethernet's size is the limit.
  await until(() => session.maxDatagramBytes >= 1472 - OVERHEAD_BYTES);
  t.ok([1472, 15_872].includes(session.maxDatagramBytes + OVERHEAD_BYTES), `${session.maxDatagramBytes}`);
  t.ok((await echo(session)) > 1000);
  const bounded = await connect(server.url, {
    ...{ certificateHash: server.certificateHash ?? "", engine: "quiche", maxPacketBytes: 1250 },
  });
  t.teardown(() => bounded.close());
  await until(() => bounded.maxDatagramBytes === 1250 - OVERHEAD_BYTES);
});

t.test("a path of Ethernet's size is found by both ends, and reported", async (t) => {
  const { session, peer } = await openOverRelay(t, { mtuBytes: 1500 });
  const reported: number[] = [];
  session.onMaxDatagramBytes((bytes) => reported.push(bytes));
  await until(() => [session, peer].every((end) => end.maxDatagramBytes === 1472 - OVERHEAD_BYTES));
  t.equal(await echo(session), 1472 - OVERHEAD_BYTES);
  for (const bytes of reported) t.ok(bytes > 1100 && bytes <= 1472 - OVERHEAD_BYTES);
});

for (const [host, payloadBytes] of [
  ["127.0.0.1", 1252],
  ["::1", 1232],
] as const) {
  t.test(`a path of 1,280 bytes works from the start (${host})`, async (t) => {
    const { session, relay } = await openOverRelay(t, { mtuBytes: 1280 }, host);
    await until(() => session.maxDatagramBytes > payloadBytes - 17 - OVERHEAD_BYTES);
    const length = await echo(session);
    t.ok(length <= payloadBytes - OVERHEAD_BYTES, `${length}`);
    t.equal(await echoStream(session, 300_000), 300_000);
    t.ok(relay.stats().up.droppedMtu > 0, "probes for more were dropped");
  });
}

t.test("a path that shrinks and grows: both ends follow, and say so", async (t) => {
  const { session, peer, relay } = await openOverRelay(t, { mtuBytes: 1500 });
  await until(() => [session, peer].every((end) => end.maxDatagramBytes === 1472 - OVERHEAD_BYTES));
  const reported: number[] = [];
  session.onMaxDatagramBytes((bytes) => reported.push(bytes));
  setMtu(relay, 1280);
  // Only who sends can notice.
  await until(() => {
    session.sendDatagram(new Uint8Array(session.maxDatagramBytes));
    peer.sendDatagram(new Uint8Array(peer.maxDatagramBytes));
    return [session, peer].every((end) => end.maxDatagramBytes <= 1252 - OVERHEAD_BYTES);
  });
  t.ok((await echo(session)) <= 1252 - OVERHEAD_BYTES);
  t.equal(await echoStream(session, 300_000), 300_000);
  t.equal(reported.at(-1), session.maxDatagramBytes);
  setMtu(relay, undefined);
  await until(() => [session, peer].every((end) => end.maxDatagramBytes === 1472 - OVERHEAD_BYTES));
  t.equal(reported.at(-1), session.maxDatagramBytes);
  t.equal(await echo(session), 1472 - OVERHEAD_BYTES);
});

t.test("a stream goes on over a path that shrinks under it", async (t) => {
  const { session, relay } = await openOverRelay(t, { mtuBytes: 1500, rateBitsPerSecond: 20e6 });
  await until(() => session.maxDatagramBytes === 1472 - OVERHEAD_BYTES);
  const received = echoStream(session, 1_000_000);
  await until(() => relay.stats().up.delivered > 200);
  setMtu(relay, 1280);
  t.equal(await received, 1_000_000);
  t.ok(relay.stats().up.droppedMtu > 0);
});

t.test("a NAT that gives the client a new port keeps the session, under loss too", async (t) => {
  const { session, relay, peer, peers } = await openOverRelay(t, { loss: 0.02 });
  let isClosed = false;
  void Promise.race([session.closed, peer.closed]).then(() => {
    isClosed = true;
  });
  for (let i = 0; i < 8; i++) {
    t.ok((await echo(session)) > 1000, `datagrams before change ${i + 1}`);
    const stream = echoStream(session, 50_000);
    t.equal(await relay.rebind(), 1);
    t.equal(await stream, 50_000, `a stream over change ${i + 1}`);
  }
  t.ok((await echo(session)) > 1000);
  t.notOk(isClosed);
  t.equal(peers.length, 1, "the server saw one session");
});
