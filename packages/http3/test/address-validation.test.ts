import { createSocket } from "node:dgram";
import { type ConnectOptions, connect, type ListenOptions, listen } from "@sluice/http3";
import t, { type Test } from "tap";
import { DEFAULT_RETRY_SWITCH } from "#src/admission/retry-switch.js";
import { issueCertificate } from "./issue-certificate.js";
import { openUdpTap, type UdpTap } from "./udp-tap.js";
import { until } from "./until.js";

async function start(t: Test, options: Partial<ListenOptions>) {
  const server = await listen({ port: 0, engine: "quiche", ...options });
  t.teardown(() => server.close());
  const tap = await openUdpTap(Number(new URL(server.url).port));
  t.teardown(() => tap.close());
  return { server, tap, pin: { certificateHash: server.certificateHash } };
}

const urlOf = (tap: UdpTap) => `https://127.0.0.1:${tap.port}/`;
/** Whether it is an Initial that carries a token (RFC 9000 17.2.2): ids with their lengths, then the token's length. */
function hasToken(datagram: Buffer): boolean {
  if (((datagram[0] ?? 0) & 0xf0) !== 0xc0) return false;
  const sourceAt = 6 + (datagram[5] ?? 0);
  return (datagram[sourceAt + 1 + (datagram[sourceAt] ?? 0)] ?? 0) !== 0;
}

/** Connects until `isEnough`, then gives up. */
async function connectUntil(url: string, options: ConnectOptions, isEnough: () => boolean): Promise<void> {
  const abort = new AbortController();
  const attempt = connect(url, { ...options, timeoutMs: 8000, signal: abort.signal });
  await Promise.all([attempt.catch(() => {}), until(isEnough).then(() => abort.abort())]);
}

const isLong = (datagram: Buffer) => ((datagram[0] ?? 0) & 0x80) !== 0;

/** RFC 9000 8.1: before validation a server sends at most three times what it received. */
const MAX_AMPLIFICATION = 3;

t.test("an address that is not proven gets at most three times what came from it", async (t) => {
  // A certificate that makes the server's first flight several times as long as the limit.
  const names = Array.from({ length: 400 }, (_, i) => `a-name-to-fill-a-certificate-${i}.example.com`);
  const certificate = await issueCertificate("127.0.0.1", { moreNames: names });
  const { server, tap, pin } = await start(t, { retry: "never", certificate, handshakeTimeoutMs: 3000 });

  // One Initial, and nothing else ever, though the client and the server go on trying.
  let passed = 0;
  tap.passesUp = () => passed++ === 0;
  await t.rejects(connect(urlOf(tap), { ...pin, timeoutMs: 2000 }), {
    name: "ConnectError",
    kind: "timeout",
  });
  await until(() => server.stats().refused["handshake-timeout"] === 1);
  const sent = tap.sent[0]?.byteLength ?? 0;
  t.comment(`${sent} bytes went in, ${tap.receivedBytes} came back`);
  t.ok(sent >= 1200 && tap.receivedBytes > sent, "the server answered");
  t.ok(
    tap.receivedBytes <= MAX_AMPLIFICATION * sent,
    `${tap.receivedBytes} of at most ${MAX_AMPLIFICATION * sent}`,
  );
  t.match(server.stats().engines, [{ connections: 0, handshakes: 0 }]);

  // A client that proves its address gets the whole flight, which is longer.
  tap.passesUp = () => true;
  tap.receivedBytes = 0;
  const session = await connect(urlOf(tap), { ...pin, timeoutMs: 20_000 });
  t.ok(tap.receivedBytes > 2 * MAX_AMPLIFICATION * sent, `${tap.receivedBytes} bytes`);
  session.close();
});

t.test("with Retry an Initial brings less than it took, and keeps nothing", async (t) => {
  const { server, tap, pin } = await start(t, { retry: "always" });
  let passed = 0;
  tap.passesUp = () => passed++ === 0;
  await connectUntil(urlOf(tap), pin, () => tap.receivedBytes > 0);
  t.ok(tap.receivedBytes > 0 && tap.receivedBytes < 200, `${tap.receivedBytes} bytes`);
  await until(() => server.stats().engines[0]?.retries === 1);
  t.match(server.stats().engines, [{ connections: 0, handshakes: 0 }]);
});

t.test("a Retry token opens one connection, from its own address, as it was made", async (t) => {
  const { server, tap, pin } = await start(t, { retry: "always" });
  const port = Number(new URL(server.url).port);
  const session = await connect(urlOf(tap), pin);
  await until(() => server.stats().engines[0]?.connections === 1);
  const retries = server.stats().engines[0]?.retries ?? 0;
  t.ok(retries >= 1);
  const withToken = tap.sent.find(hasToken);
  if (withToken === undefined) throw new Error("no token was sent");
  session.close();
  await until(() => server.stats().engines[0]?.connections === 0);

  const refused = () => server.stats().refused["bad-token"];
  const stranger = createSocket("udp4");
  t.teardown(() => stranger.close());
  stranger.send(withToken, port, "127.0.0.1");
  await until(() => refused() === 1);
  t.pass("from another address");
  tap.upstream.send(withToken, port, "127.0.0.1");
  await until(() => refused() === 2);
  t.pass("a second time");
  t.match(
    server.stats().engines,
    [{ connections: 0, retries: retries + 2 }],
    "both are asked for a proof instead",
  );
  const next = await connect(urlOf(tap), pin);
  next.close();
});

t.test(
  "a token that was never used is refused where it is changed, foreign, or comes from elsewhere",
  async (t) => {
    const { server, tap, pin } = await start(t, { retry: "always" });
    const other = await start(t, { retry: "always" });
    const port = Number(new URL(server.url).port);
    let passed = 0;
    tap.passesUp = () => passed++ === 0;
    await connectUntil(urlOf(tap), pin, () => tap.sent.some(hasToken));
    const withToken = tap.sent.find(hasToken);
    if (withToken === undefined) throw new Error("no token was sent");
    const refused = () => server.stats().refused["bad-token"];

    const stranger = createSocket("udp4");
    t.teardown(() => stranger.close());
    stranger.send(withToken, port, "127.0.0.1");
    await until(() => refused() === 1);
    // Header: first byte, version, 16 bytes of destination id and the source id with their lengths, token length (two bytes).
    const tokenAt = 1 + 4 + 1 + 16 + 1 + (withToken[22] ?? 0) + 2;
    const changed = Buffer.from(withToken);
    changed[tokenAt + 10] = (changed[tokenAt + 10] ?? 0) ^ 1;
    tap.upstream.send(changed, port, "127.0.0.1");
    await until(() => refused() === 2);
    tap.upstream.send(withToken, Number(new URL(other.server.url).port), "127.0.0.1");
    await until(() => other.server.stats().refused["bad-token"] === 1);
    t.equal(server.stats().engines[0]?.connections, 0);

    tap.upstream.send(withToken, port, "127.0.0.1");
    await until(() => server.stats().engines[0]?.connections === 1);
    t.equal(refused(), 2, "untouched and from its own address it is taken");
  },
);

t.test("under load: a flood of half-open handshakes makes newcomers prove their address", async (t) => {
  const { server, tap, pin } = await start(t, { retry: "under-load", handshakeTimeoutMs: 60_000 });
  const port = Number(new URL(server.url).port);
  const calm = await connect(urlOf(tap), pin);
  await until(() => server.stats().engines[0]?.connections === 1);
  t.equal(server.stats().engines[0]?.retries, 0, "without load nobody is asked");
  const initial = tap.sent[0];
  if (initial === undefined || !isLong(initial)) throw new Error("no Initial");
  calm.close();

  // The same Initial under other addresses and connection ids. Nobody goes on with the handshake.
  const attacker = createSocket("udp4");
  t.teardown(() => attacker.close());
  const { handshakes } = DEFAULT_RETRY_SWITCH;
  for (let i = 0; i < 4 * handshakes; i++) {
    const copy = Buffer.from(initial);
    copy.writeUInt32BE(i, 6); // the first bytes of the destination id, so that each is a connection of its own
    attacker.send(copy, port, "127.0.0.1");
  }
  await until(() => (server.stats().engines[0]?.retries ?? 0) > 0);
  const before = server.stats().engines[0];
  t.ok((before?.handshakes ?? 0) <= handshakes, `${before?.handshakes} half-open connections are kept`);

  const honest = await connect(urlOf(tap), pin);
  t.ok(honest.maxDatagramBytes > 0, "who answers the Retry comes in");
  honest.close();
});
