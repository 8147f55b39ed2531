/** A stream that outlives its server: the real stack, on one port that several servers have one after another. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createCertificate } from "@sluice/http3";
import t from "tap";
import { runSluice, startSluice } from "./run-sluice.js";

t.setTimeout(180_000);

const directory = await mkdtemp(join(tmpdir(), "sluice-reconnect-"));
t.teardown(() => rm(directory, { recursive: true }));
const certificate = await createCertificate();
const certFile = join(directory, "cert.pem");
const keyFile = join(directory, "key.pem");
await writeFile(certFile, certificate.cert);
await writeFile(keyFile, certificate.key);
const certHash = certificate.hash;

/** A server with the one certificate, ready to serve. */
async function startServer(port: number) {
  const files = ["--cert", certFile, "--key", keyFile];
  const where = ["--listen", `127.0.0.1:${port}`, "--metrics", "127.0.0.1:0"];
  const server = startSluice(["serve", "--model", "sink", ...where, ...files]);
  t.teardown(() => server.kill("SIGKILL"));
  const { url, metricsUrl } = JSON.parse(await server.line((line) => line.includes('"listening"')));
  return {
    ...server,
    port: Number(new URL(url).port),
    /** Waits until it has answered so many frames. */
    async hasAnswered(frames: number) {
      for (;;) {
        const text = await (await fetch(`${new URL(metricsUrl).origin}/metrics`)).text();
        const count = Number(
          /sluice_frames_total\{outcome="delivered",reason="none"\} (\d+)/.exec(text)?.[1] ?? 0,
        );
        if (count >= frames) return;
        await sleep(50);
      }
    },
  };
}

t.test("a stream goes on when its server is restarted, in order and by force", async (t) => {
  const first = await startServer(0);
  const url = `https://127.0.0.1:${first.port}`;
  const source = ["--model", "sink", "--source", "synthetic:8x8x16", "--codec", "raw"];
  const stream = startSluice([
    ...["stream", url, "--cert-hash", certHash, ...source, "--fps", "30", "--duration", "170", "--json"],
    ...["--deadline-ms", "5000"],
  ]);
  t.teardown(() => stream.kill("SIGKILL"));
  await first.hasAnswered(10);
  first.kill("SIGTERM");
  t.equal((await first.ended).code, 0);
  t.match(
    await stream.errorLine((line) => line.startsWith("no session")),
    /the server shuts down \(code 16\)/,
  );

  const second = await startServer(first.port);
  await second.hasAnswered(10);
  await stream.errorLine((line) => line === "a new session is open");
  second.kill("SIGKILL");
  await second.ended;

  const third = await startServer(first.port);
  await third.hasAnswered(10);
  stream.kill("SIGINT");
  const { code, stdout } = await stream.ended;
  t.equal(code, 0);
  const summary = JSON.parse(stdout);
  t.comment(stdout);
  const { offered, droppedAtGate, expired, delivered, sessions } = summary;
  t.equal(offered, droppedAtGate + expired + delivered, "every frame of all sessions is accounted for");
  t.ok(delivered >= 30 && sessions >= 3, `${delivered} delivered in ${sessions} sessions`);
  t.equal(summary.lost, undefined);
  third.kill("SIGKILL");
});

t.test("a server that comes back with another certificate is not taken for the old one", async (t) => {
  const first = await startServer(0);
  const url = `https://127.0.0.1:${first.port}`;
  const stream = startSluice([
    ...["stream", url, "--cert-hash", certHash, "--model", "sink", "--source", "synthetic:8x8x16"],
    ...["--duration", "170", "--json"],
  ]);
  t.teardown(() => stream.kill("SIGKILL"));
  await first.hasAnswered(5);
  first.kill("SIGTERM");
  await first.ended;
  const where = ["--listen", `127.0.0.1:${first.port}`, "--metrics", "127.0.0.1:0"];
  const other = startSluice(["serve", "--model", "sink", ...where]);
  t.teardown(() => other.kill("SIGKILL"));
  const { code, stdout, stderr } = await stream.ended;
  t.equal(code, 7);
  t.match(JSON.parse(stdout).lost, { reason: /certificate/ });
  t.match(stderr.trim().split("\n").at(-1), /^sluice: the session was lost: .*certificate/);
});

t.test("limits and shares are options", async (t) => {
  const where = ["--listen", "127.0.0.1:0", "--metrics", "127.0.0.1:0"];
  const server = startSluice(["serve", "--model", "sink", "--bytes-limit", "20480", ...where]);
  t.teardown(() => server.kill("SIGKILL"));
  const { url, certHash: hash } = JSON.parse(await server.line((line) => line.includes('"listening"')));
  const run = await runSluice([
    ...[
      "stream",
      url,
      "--cert-hash",
      hash,
      "--model",
      "sink",
      "--source",
      "synthetic:8x8x16",
      "--dtype",
      "uint8",
    ],
    ...["--codec", "raw", "--frames", "60", "--fps", "60", "--deadline-ms", "5000", "--json"],
    ...["--urgency", "1", "--min-received", "50", "--fec", "rs:max=20", "--interleave", "pseudo-random"],
  ]);
  t.equal(run.code, 0, run.stderr);
  const { delivered, dropReasons, offered, fec, interleave } = JSON.parse(run.stdout);
  t.strictSame([fec, interleave], ["rs:max=20,span=1", "pseudo-random:seed=1"]);
  // 20 of these frames a second; the run takes one. A slow machine drops some for other reasons.
  t.equal(offered, 60);
  t.ok(dropReasons["server-limit"] > 0 && delivered > 0, run.stdout);
  const bad = await runSluice(["stream", url, "--urgency", "8"]);
  t.equal(bad.code, 2);
  t.match(bad.stderr, /--urgency.*from 0 to 7.*"8"/);
  for (const [option, text, message] of [
    ["--fec", "rs:max=0", /--fec: fec\.rs\.max: .*from 1 to 100.*"0"/],
    ["--interleave", "chequerboard", /--interleave: interleave: .*did you mean checkerboard\?/],
  ] as const) {
    const strange = await runSluice(["stream", url, option, text]);
    t.equal(strange.code, 2);
    t.match(strange.stderr, message);
  }
});
