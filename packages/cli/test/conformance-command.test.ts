import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import t from "tap";
import { ExitCode } from "#cli/exit-codes.js";
import { runSluice, startSluice } from "./run-sluice.js";

const binary = fileURLToPath(new URL("../../bin/sluice.js", import.meta.url));
const directory = mkdtempSync(join(tmpdir(), "sluice-conformance-"));
t.teardown(() => rmSync(directory, { recursive: true }));

/** A file of known failures. */
function knownFailures(text: string): string {
  const path = join(directory, "known.txt");
  writeFileSync(path, text);
  return path;
}

t.test("our own implementation passes all vectors", async (t) => {
  const run = await runSluice(["conformance", "vectors", "--json"]);
  t.equal(run.code, ExitCode.ok, run.stderr);
  t.match(JSON.parse(run.stdout), { ok: true, counts: { failed: 0, known: 0 } });
});

t.test("a program that answers nothing fails every vector, known to or not", async (t) => {
  const impl = `${process.execPath} -e process.exit(3)`;
  const run = await runSluice(["conformance", "vectors", "--impl", impl]);
  t.equal(run.code, ExitCode.internal);
  t.match(run.stdout, /FAILED {2}\w+\/\S+: the process ended \(code 3\)/);
  const known = await runSluice([
    ...["conformance", "vectors", "--impl", impl, "--known-failures", knownFailures("* # all\n")],
  ]);
  t.equal(known.code, ExitCode.ok);
  t.match(known.stdout, /^0 passed, 0 failed, \d+ known to fail, 0 unexpectedly passed\n$/);
});

t.test("a known failure that passes has to leave its list", async (t) => {
  const run = await runSluice([
    ...["conformance", "vectors", "--known-failures", knownFailures("datagram/decode/empty\nno/such/case\n")],
  ]);
  t.equal(run.code, ExitCode.internal);
  t.match(run.stdout, /UNEXPECTED PASS {2}datagram\/decode\/empty/);
  t.match(run.stdout, /no case is called no\/such\/case/);
});

t.test("a program or a list that is not there", async (t) => {
  const impl = ["conformance", "vectors", "--impl", join(directory, "nothing")];
  t.match(await runSluice(impl), { code: ExitCode.internal, stdout: /ENOENT/ });
  const list = ["conformance", "vectors", "--known-failures", join(directory, "nothing")];
  t.match(await runSluice(list), { code: ExitCode.notFound, stderr: /nothing/ });
});

t.test("sluice serve passes the live suite with its token, and no stranger does", async (t) => {
  const server = startSluice([
    ...["serve", "--listen", "127.0.0.1:0", "--metrics", "off", "--model", "sink", "--json"],
    ...["--token", "secret"],
  ]);
  t.teardown(() => server.kill("SIGKILL"));
  const { url, certHash } = JSON.parse(await server.line((line) => line.includes('"listening"')));
  const target = ["conformance", "server", url, "--cert-hash", certHash, "--json"];
  const run = await runSluice([...target, "--token", "secret"]);
  t.match(JSON.parse(run.stdout), { ok: true }, run.stdout);
  t.equal(run.code, ExitCode.ok);
  const stranger = await runSluice([...target, "--only", "2.2/welcome"]);
  t.equal(stranger.code, ExitCode.internal);
  t.match(JSON.parse(stranger.stdout).cases, [{ failure: /unauthorized/ }]);
});

t.test("sluice stream passes cases of the scripted server", async (t) => {
  const client = [
    ...[process.execPath, binary, "stream", "{url}", "--cert-hash", "{hash}", "--model", "sink"],
    ...["--source", "synthetic:8x8x4", "--deadline-ms", "1000", "--duration", "100", "--fps", "20", "--json"],
  ];
  const run = await runSluice([
    ...["conformance", "client", "--json", "--only", "5.1/*"],
    ...["--impl-command", `exec ${client.join(" ")}`],
  ]);
  t.match(JSON.parse(run.stdout), { ok: true, counts: { passed: 2 } }, run.stdout);
  t.equal(run.code, ExitCode.ok);
});

t.test("a client that is none fails by name", async (t) => {
  const run = await runSluice([
    "conformance",
    "client",
    "--only",
    "2.2/hello*",
    "--impl-command",
    "exec false",
  ]);
  t.equal(run.code, ExitCode.internal);
  t.match(run.stdout, /FAILED {2}2\.2\/hello-comes-first: the command ended with code 1/);
});
