import { mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, listen, selectEngine } from "@sluice/http3";
import t, { type Test } from "tap";
import { Refusals } from "#src/admission/refusals.js";
import { publishedCertificates } from "#src/certificates/certificate-source.js";
import { FileCertificates } from "#src/certificates/file-certificates.js";
import { planRenewal } from "#src/certificates/plan-renewal.js";
import { SelfMadeCertificates, type WallClock } from "#src/certificates/self-made-certificates.js";
import { readServedCertificate } from "#src/certificates/served-certificate.js";
import { createHttp3Server } from "#src/http3-server.js";
import { issueCertificate } from "./issue-certificate.js";
import { until } from "./until.js";

const DAY_MS = 86_400_000;
const START_MS = Date.parse("2026-03-01T12:00:00Z");
const quiet = () => {};

t.test("the plan: made after 60 % of its predecessor's life, used after 85 %", async (t) => {
  const certificate = { notBefore: new Date(START_MS), notAfter: new Date(START_MS + 10 * DAY_MS) };
  const plan = (day: number, hasNext: boolean) =>
    planRenewal(certificate, hasNext ? certificate : undefined, START_MS + day * DAY_MS);
  t.strictSame(plan(0, false), { type: "wait", untilMs: START_MS + 6 * DAY_MS });
  t.strictSame(plan(5.99, false), { type: "wait", untilMs: START_MS + 6 * DAY_MS });
  t.strictSame(plan(6, false), { type: "prepare" });
  t.strictSame(plan(6, true), { type: "wait", untilMs: START_MS + 8.5 * DAY_MS });
  t.strictSame(plan(8.5, true), { type: "switch" });
  t.strictSame(plan(30, false), { type: "prepare" }, "after a long sleep");
  t.strictSame(plan(30, true), { type: "switch" });
});

/** A wall clock whose timers a test fires. */
function createVirtualWallClock(startMs: number) {
  let nowMs = startMs;
  const timers = new Map<number, { atMs: number; call: () => void }>();
  let nextTimer = 1;
  const clock: WallClock = {
    nowMs: () => nowMs,
    schedule(delayMs, call) {
      timers.set(nextTimer, { atMs: nowMs + delayMs, call });
      return nextTimer++;
    },
    cancel: (timer) => timers.delete(timer as number),
  };
  return {
    clock,
    timers,
    /** Jumps to the next timer. */
    step() {
      const [id, timer] = [...timers].reduce((a, b) => (b[1].atMs < a[1].atMs ? b : a));
      timers.delete(id);
      nowMs = timer.atMs;
      timer.call();
    },
    sleepUntil(atMs: number) {
      nowMs = atMs;
    },
  };
}

t.test("self-made certificates over two months of virtual time", async (t) => {
  const { clock, timers, step } = createVirtualWallClock(START_MS);
  const source = await SelfMadeCertificates.create({ hosts: ["localhost"], log: quiet, clock });
  const changes: string[] = [];
  source.onChange(({ hash }) => changes.push(hash));
  const served: string[] = [source.current.hash];
  /** Since when each hash was published. */
  const publishedMs = new Map([[source.current.hash, clock.nowMs()]]);
  for (let steps = 0; clock.nowMs() < START_MS + 60 * DAY_MS; steps++) {
    const nowMs = clock.nowMs();
    const { current } = source;
    const life = current.notAfter.getTime() - current.notBefore.getTime();
    if (life > 14 * DAY_MS) t.fail(`${life / DAY_MS} days`);
    if (!(current.notBefore.getTime() <= nowMs && nowMs < current.notAfter.getTime() - DAY_MS)) {
      t.fail(`at ${new Date(nowMs).toISOString()} the certificate ends ${current.notAfter.toISOString()}`);
    }
    const published = publishedCertificates(source, nowMs);
    for (const { hash } of published) if (!publishedMs.has(hash)) publishedMs.set(hash, nowMs);
    if (served.at(-1) !== current.hash) {
      const knownMs = nowMs - (publishedMs.get(current.hash) ?? nowMs);
      if (knownMs < 2 * DAY_MS) t.fail(`published only ${knownMs / DAY_MS} days before it was used`);
      const previous = served.at(-1) ?? "";
      t.ok(
        published.some(({ hash, role }) => hash === previous && role === "previous"),
        "the old hash is still published",
      );
      served.push(current.hash);
    }
    const hadNext = source.next;
    step();
    // A certificate that is being made is waited for: no timer runs meanwhile.
    await until(() => timers.size === 1);
    if (hadNext === undefined && source.next !== undefined) {
      t.strictSame(
        publishedCertificates(source, clock.nowMs())
          .map(({ role }) => role)
          .slice(0, 2),
        ["current", "next"],
      );
    }
    if (steps > 100_000) throw new Error("it does not get on");
  }
  t.ok(served.length >= 5 && served.length <= 8, `${served.length} certificates in 60 days`);
  t.equal(new Set(served).size, served.length);
  t.strictSame(changes, served.slice(1));
  source.close();
  t.equal(timers.size, 0);
});

t.test("a server that slept past the end of its certificate gets another one at once", async (t) => {
  const { clock, timers, step, sleepUntil } = createVirtualWallClock(START_MS);
  const source = await SelfMadeCertificates.create({ hosts: ["localhost"], log: quiet, clock });
  const first = source.current.hash;
  const [timer] = timers.values();
  t.ok((timer?.atMs ?? 0) - START_MS <= 3_600_000, "it looks every hour: timers stand still in sleep");
  sleepUntil(START_MS + 40 * DAY_MS);
  for (const timer of timers.values()) timer.atMs = clock.nowMs();
  step();
  await until(() => timers.size === 1);
  t.not(source.current.hash, first);
  t.strictSame(
    publishedCertificates(source, clock.nowMs()).map(({ role }) => role),
    ["current"],
    "what has expired is not published",
  );
  source.close();
});

for (const engine of ["quiche", "websocket"] as const) {
  t.test(
    `${engine}: new connections get the renewed certificate, whose hash was published before`,
    async (t) => {
      const { clock, timers, step } = createVirtualWallClock(Date.now());
      // Made long enough ago that its successor, made at once, holds at the present.
      const source = await SelfMadeCertificates.create({
        ...{ hosts: ["127.0.0.1"], log: quiet },
        clock: { ...clock, nowMs: () => clock.nowMs() - 8 * DAY_MS },
      });
      await until(() => timers.size === 1);
      const unlimited = { maxConnections: 9, maxConnectionsPerSource: 9, exemptLoopback: true };
      const server = createHttp3Server(
        [
          await (await selectEngine(engine)).listen({
            ...{ address: "127.0.0.1", host: "127.0.0.1", port: 0, retry: "always", ...unlimited },
            ...{ newConnectionsPerSource: { perSecond: 9, burst: 9 }, idleTimeoutMs: 30_000 },
            ...{ handshakeTimeoutMs: 5000, maxPacketBytes: 1350, decide: () => 200, log: quiet },
            ...{ certificate: source.current, certificateHash: source.current.hash },
          }),
        ],
        source,
        new Refusals(),
      );
      t.teardown(() => server.close());
      const old = source.current.hash;
      while (source.next === undefined) {
        step();
        await until(() => timers.size === 1);
      }
      const pinned = publishedCertificates(source, clock.nowMs() - 8 * DAY_MS).map(({ hash }) => hash);
      t.strictSame(pinned, [old, source.next.hash]);
      while (source.current.hash === old) step();
      t.equal(server.certificateHash, pinned[1]);
      // The message names the certificate that the server showed.
      await t.rejects(connect(server.url, { engine, certificateHash: "0".repeat(64) }), {
        name: "ConnectError",
        kind: "certificate",
        message: new RegExp(`is ${pinned[1]}, expected`),
      });
      const session = await connect(server.url, { engine, certificateHashes: pinned });
      session.close();
    },
  );
}

async function createFolder(t: Test) {
  const folder = await mkdtemp(join(tmpdir(), "sluice-certificates-"));
  t.teardown(() => rm(folder, { recursive: true }));
  const files = { certFile: join(folder, "cert.pem"), keyFile: join(folder, "key.pem") };
  /** As tools do it: a new file is renamed into place. */
  const put = async (path: string, text: string) => {
    await writeFile(`${path}.new`, text);
    await rename(`${path}.new`, path);
  };
  const putPair = async ({ cert, key }: { cert: string; key: string }) => {
    await put(files.certFile, cert);
    await put(files.keyFile, key);
  };
  return { files, put, putPair };
}

t.test("what cannot be a certificate and its key is refused by name", async (t) => {
  const [one, two] = [await issueCertificate("127.0.0.1"), await issueCertificate("127.0.0.1")];
  t.equal(readServedCertificate(one).cert, one.cert);
  t.throws(() => readServedCertificate({ cert: "no", key: one.key }), /certificate\.cert is not the PEM/);
  t.throws(() => readServedCertificate({ cert: one.cert, key: "no" }), /certificate\.key is not the PEM/);
  t.throws(() => readServedCertificate({ cert: one.cert, key: two.key }), /is not the key of/);
  await t.rejects(listen({ port: 0, certificate: { cert: one.cert, key: two.key } }), /is not the key of/);
  const { files } = await createFolder(t);
  await t.rejects(listen({ port: 0, certificate: files }), { code: "ENOENT" });
});

t.test("files: a bad pair is logged once and the old one stays; a good one is taken", async (t) => {
  const { files, put, putPair } = await createFolder(t);
  const [one, two] = [await issueCertificate("127.0.0.1"), await issueCertificate("127.0.0.1")];
  await putPair(one);
  const logged: string[] = [];
  const source = await FileCertificates.open(files, (level, message, fields) =>
    logged.push(`${level} ${message} ${JSON.stringify(fields)}`),
  );
  t.teardown(() => source.close());
  await put(files.certFile, two.cert);
  await source.reload();
  await source.reload();
  t.equal(source.current.cert, one.cert);
  await put(files.certFile, "-----BEGIN CERTIFICATE-----\nhalf a fi");
  await source.reload();
  await rm(files.certFile);
  await source.reload();
  t.equal(source.current.cert, one.cert);
  const errors = logged.filter((line) => line.startsWith("error"));
  t.match(errors, [/is not the key of/, /certificate\.cert is not the PEM/, /ENOENT/]);
  t.equal(errors.length, 3);
  await putPair(two);
  await source.reload();
  t.equal(source.current.cert, two.cert);
  t.equal(source.previous?.cert, one.cert);
});

for (const engine of ["quiche", "websocket"] as const) {
  t.test(`${engine}: files that change are noticed; open sessions live on`, async (t) => {
    const { files, put, putPair } = await createFolder(t);
    const [one, two, three] = [
      await issueCertificate("127.0.0.1"),
      await issueCertificate("127.0.0.1"),
      await issueCertificate("127.0.0.1"),
    ];
    await putPair(one);
    const logged: string[] = [];
    const log = (level: string) => logged.push(level);
    const server = await listen({ port: 0, engine, certificate: files, log });
    t.teardown(() => server.close());
    server.onSession((session) => {
      session.onBidirectional(({ send, receive }) => {
        void receive.read().then((bytes) => send.write(bytes ?? new Uint8Array(0)));
      });
    });
    const before = server.certificateHash;
    const old = await connect(server.url, { engine, ca: one.ca });

    // Nobody calls `reloadCertificate`: the folder is watched.
    await putPair(two);
    await until(() => server.certificateHash !== before);
    await t.rejects(connect(server.url, { engine, ca: one.ca }), {
      name: "ConnectError",
      kind: "certificate",
    });
    (await connect(server.url, { engine, ca: two.ca })).close();
    (await connect(server.url, { engine, certificateHash: server.certificateHash })).close();
    t.strictSame(
      server.certificates().map(({ role, hash }) => [role, hash]),
      [
        ["current", server.certificateHash],
        ["previous", before],
      ],
    );

    await put(files.keyFile, three.key);
    await until(() => logged.includes("error"));
    (await connect(server.url, { engine, ca: two.ca })).close();
    await putPair(three);
    await server.reloadCertificate();
    (await connect(server.url, { engine, ca: three.ca })).close();

    const { send, receive } = await old.openBidirectional();
    await send.write(Uint8Array.of(1, 2, 3));
    t.strictSame([...((await receive.read()) ?? [])], [1, 2, 3], "the session from before all that");
    old.close();
  });
}
