import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ExitCode } from "@sluice/cli";
import { connect, createCertificate } from "@sluice/http3";
import t, { type Test } from "tap";
import { runSluice, startSluice } from "./run-sluice.js";

interface Published {
  readonly url: string;
  readonly certificateHash: string;
  readonly certificates: readonly {
    readonly hash: string;
    readonly role: string;
    readonly notAfter: string;
  }[];
}

async function startServer(t: Test, args: readonly string[], environment: NodeJS.ProcessEnv = {}) {
  const where = ["--listen", "127.0.0.1:0", "--metrics", "127.0.0.1:0"];
  const server = startSluice(["serve", ...where, "--model", "sink", "--json", ...args], environment);
  t.teardown(() => server.kill("SIGKILL"));
  const { url, certHash, metricsUrl } = JSON.parse(
    await server.line((line) => line.includes('"listening"')),
  ) as { url: string; certHash: string; metricsUrl: string };
  const operations = new URL(metricsUrl).origin;
  return {
    ...{ server, url, certHash },
    describe: async () => (await (await fetch(`${operations}/.well-known/sluice`)).json()) as Published,
    metrics: async () => (await (await fetch(`${operations}/metrics`)).text()).split("\n"),
  };
}

t.test("the certificate's hash and end are published, refusals and connections are counted", async (t) => {
  const { server, url, certHash, describe, metrics } = await startServer(t, [
    ...["--max-connections", "2", "--max-connections-per-source", "1", "--retry", "under-load"],
  ]);
  const { certificates, ...published } = await describe();
  t.strictSame(published, { url, certificateHash: certHash });
  t.match(certificates, [{ hash: certHash, role: "current" }]);
  const days = (Date.parse(certificates[0]?.notAfter ?? "") - Date.now()) / 86_400_000;
  t.ok(days > 12 && days <= 14, `${days} days`);

  const session = await connect(url, { certificateHash: certHash });
  await t.rejects(connect(url, { certificateHash: certHash }), { name: "ConnectError", message: /429/ });
  const wanted = [
    'sluice_sessions_rejected_total{reason="source-full"} 1',
    'sluice_sessions_rejected_total{reason="server-full"} 0',
    'sluice_engine_restarts_total{engine="quiche",reason="hang"} 0',
    'sluice_retries_sent_total{engine="quiche"} 0',
    'sluice_engine_up{engine="quiche"} 1',
    `sluice_certificate_not_after_seconds ${Date.parse(certificates[0]?.notAfter ?? "") / 1000}`,
  ];
  // The worker reports its figures some times a second.
  let lines = await metrics();
  while (!wanted.every((line) => lines.includes(line))) lines = await metrics();
  session.close();
  server.kill("SIGTERM");
  t.equal((await server.ended).code, 0);
});

t.test("a source that opens connections faster than it may is not answered for a while", async (t) => {
  const { url, certHash, metrics } = await startServer(t, ["--new-connections-per-source", "1"]);
  const open = () => connect(url, { certificateHash: certHash, timeoutMs: 20_000 });
  // Four may come at once; clients whose packets are not answered send them again.
  for (const session of await Promise.all([1, 2, 3, 4, 5, 6].map(open))) session.close();
  const refusals = /^sluice_sessions_rejected_total\{reason="source-rate"\} [1-9]/;
  while (!(await metrics()).some((line) => refusals.test(line)));
});

t.test("certificate files are read again on SIGHUP, and a bad pair changes nothing", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "sluice-serve-"));
  t.teardown(() => rm(folder, { recursive: true }));
  const [cert, key] = [join(folder, "cert.pem"), join(folder, "key.pem")];
  const [one, two, three] = await Promise.all([
    createCertificate(),
    createCertificate(),
    createCertificate(),
  ]);
  await Promise.all([writeFile(cert, one.cert), writeFile(key, one.key)]);
  const { server, url, certHash, describe } = await startServer(t, ["--cert", cert, "--key", key]);
  t.equal(certHash, one.hash);
  await Promise.all([writeFile(cert, two.cert), writeFile(key, two.key)]);
  server.kill("SIGHUP");
  while ((await describe()).certificateHash !== two.hash);
  (await connect(url, { certificateHash: two.hash })).close();
  await t.rejects(connect(url, { certificateHash: one.hash }), { name: "ConnectError", message: /SHA-256/ });

  await writeFile(key, three.key);
  server.kill("SIGHUP");
  await writeFile(cert, "nothing");
  server.kill("SIGHUP");
  (await connect(url, { certificateHash: two.hash })).close();
  server.kill("SIGTERM");
  const { code, stderr } = await server.ended;
  t.equal(code, 0);
  t.match(stderr, /SIGHUP: the certificate files are read again/);
  t.match(stderr, /the certificate files are not usable; the old certificate stays/);
});

t.test("--insecure warns on stderr, and does not go with a hash", async (t) => {
  const { url, certHash } = await startServer(t, []);
  const args = ["stream", url, "--model", "sink", "--source", "synthetic:2x2x2", "--frames", "2", "--json"];
  const run = await runSluice([...args, "--insecure"]);
  t.equal(run.code, 0, run.stderr);
  t.match(run.stderr, /^WARNING: --insecure: the certificate of https:\S+ is NOT checked/);
  t.equal(run.stderr.split("WARNING").length, 2, "once");
  const both = await runSluice([...args, "--insecure", "--cert-hash", certHash]);
  t.equal(both.code, ExitCode.usage);
  t.match(both.stderr, /do not go together/);
});

t.test("limits that cannot be are said", async (t) => {
  for (const args of [
    ["--retry", "often"],
    ["--max-connections", "0"],
    ["--max-connections-per-source", "many"],
    ["--new-connections-per-source", "0"],
  ]) {
    const run = await runSluice(["serve", ...args]);
    t.equal(run.code, ExitCode.usage, args.join(" "));
    t.match(run.stderr, new RegExp(args[0] ?? ""));
  }
});

t.test(
  "pages of other origins are refused, counted and logged; what is no browser is not asked",
  async (t) => {
    const environment = { SLUICE_SERVE_ORIGIN: "https://app.example, https://*.example.org" };
    const { server, url, certHash: certificateHash, metrics } = await startServer(t, [], environment);
    const open = (origin?: string) =>
      connect(url, { certificateHash, ...(origin === undefined ? {} : { headers: { origin } }) });
    await t.rejects(open("https://evil.example"), { name: "ConnectError", kind: "rejected", message: /403/ });
    for (const origin of ["https://app.example", "https://a.example.org", undefined])
      (await open(origin)).close();
    t.ok((await metrics()).includes('sluice_sessions_rejected_total{reason="origin"} 1'));
    server.kill("SIGTERM");
    const { stderr } = await server.ended;
    t.match(stderr, /"origin":"https:\/\/evil.example".*origin that is not allowed/);
    const bad = await runSluice(["serve", "--origin", "https://app.example/page"]);
    t.equal(bad.code, ExitCode.usage);
    t.match(bad.stderr, /--origin: "https:\/\/app.example\/page": expected \*, null, or an origin/);
  },
);
