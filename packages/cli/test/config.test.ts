import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t, { type Test } from "tap";
import { parseConfig } from "#cli/config/read-config-file.js";
import { explainError } from "#cli/explain-error.js";
import { createProgram } from "#cli/program.js";
import { startSluice } from "./run-sluice.js";

/** A command line in this process, for commands that end by themselves. */
async function runSluice(args: readonly string[], environment: Readonly<Record<string, string>> = {}) {
  let stdout = "";
  const context = {
    stdout: { write: (text: string) => (stdout += text) },
    stderr: { write: () => true },
    signal: AbortSignal.abort(),
    isTty: false,
    exitWith: () => undefined,
  };
  try {
    await createProgram(context, environment).parseAsync([...args], { from: "user" });
    return { stdout, stderr: "", code: 0 };
  } catch (error) {
    const { message, exitCode } = explainError(error);
    return { stdout, stderr: message, code: exitCode };
  }
}

async function configFile(t: Test, text: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "sluice-config-"));
  t.teardown(() => rm(folder, { recursive: true }));
  const path = join(folder, "sluice.yaml");
  await writeFile(path, text);
  return path;
}

interface Shown {
  readonly value: unknown;
  readonly source: string;
  readonly where?: string;
  readonly variable: string;
}

t.test("command line before environment before file before default", async (t) => {
  const path = await configFile(t, "serve:\n  fps-limit: 30\n  bytes-limit: 1000\n  fallback: true\n");
  const { stdout, code } = await runSluice(["config", "serve", "--json"], {
    SLUICE_CONFIG: path,
    SLUICE_SERVE_FPS_LIMIT: "60",
    SLUICE_SERVE_TOKEN: "hush",
  });
  t.equal(code, 0);
  const { serve } = JSON.parse(stdout) as { serve: Record<string, Shown> };
  t.match(serve["fps-limit"], { value: "60", source: "environment", where: "SLUICE_SERVE_FPS_LIMIT" });
  t.match(serve["bytes-limit"], { value: "1000", source: "file", where: `${path}:3` });
  t.match(serve.listen, { value: "127.0.0.1:4433", source: "default", variable: "SLUICE_SERVE_LISTEN" });
  t.match(serve.fallback, { value: true, source: "file" });
  t.match(serve.labels, { source: "unset" });
  t.notMatch(stdout, /hush/, "a secret is not shown");
});

t.test("a server takes its options from the file, and flags win", async (t) => {
  const path = await configFile(t, "serve:\n  listen: 127.0.0.1:0\n  model: fashion\n  metrics: off\n");
  const server = startSluice(["serve", "--config", path, "--model", "sink", "--json"], {
    SLUICE_SERVE_METRICS: "127.0.0.1:0",
  });
  t.teardown(() => server.kill("SIGKILL"));
  const line = JSON.parse(await server.line((text) => text.includes('"listening"'))) as Record<
    string,
    unknown
  >;
  t.equal(line.model, "sink", "the flag");
  t.type(line.metricsUrl, "string", "the variable");
  t.not(line.url, "https://127.0.0.1:4433", "the file");
  server.kill("SIGTERM");
  t.equal((await server.ended).code, 0);
});

t.test("what is printed is a configuration file again", async (t) => {
  const path = await configFile(t, "serve:\n  fps-limit: 30\nrelay:\n  loss: 3%\n  delay: 20ms\n");
  const first = await runSluice(["config", "--print", "--config", path]);
  const again = await configFile(t, first.stdout);
  const second = await runSluice(["config", "--print", "--config", again]);
  const withoutSources = (text: string) => text.replace(/ # .*$/gm, "");
  t.equal(withoutSources(second.stdout), withoutSources(first.stdout));
  t.match(first.stdout, `loss: 3% # ${path}:4`);
});

t.test("options that must be given may stand in the file", async (t) => {
  const path = await configFile(t, "calibrate:\n  split: add_3\n");
  const { stderr, code } = await runSluice(["calibrate", "fashion", "--config", path]);
  t.equal(code, 2);
  t.notMatch(stderr, /--split/);
  t.match(stderr, /--images/, "the other one is still asked for");
});

const mistakes: readonly { readonly text: string; readonly says: RegExp }[] = [
  {
    text: "serve:\n  listen: a\n  fps-limt: 3\n",
    says: /:3: serve has no option fps-limt \(known: listen, /,
  },
  {
    text: "serve:\n  fps-limit: -3\n",
    says: /:2: serve\.fps-limit: expected a whole number from 1, got "-3"/,
  },
  { text: "serve:\n  engine: qunn\n", says: /:2: serve\.engine: Allowed choices are auto, / },
  { text: "serve:\n  fallback: maybe\n", says: /:2: serve\.fallback: expected true or false/ },
  { text: "serve:\n  model: true\n", says: /:2: serve\.model: expected <model>/ },
  { text: "serve:\n  labels: [a, b]\n", says: /:2: serve\.labels: expected one value, not a list/ },
  { text: "serve:\n  model: a\n  model: b\n", says: /:3: Map keys must be unique/ },
  { text: "sevre:\n  model: a\n", says: /:1: there is no command sevre \(known: serve, / },
  { text: "serve: 3\n", says: /:1: serve: expected its options below it/ },
  { text: "- serve\n", says: /:1: expected commands/ },
  { text: "serve:\n  model: {a: 1}\n", says: /:2: serve has no command model/ },
  { text: "serve: {model: 'a\n", says: /:\d: Missing closing/ },
];

t.test("a mistake names the line", async (t) => {
  for (const { text, says } of mistakes) {
    const path = await configFile(t, text);
    const { stderr, code } = await runSluice(["config", "--config", path]);
    t.match(stderr, says, JSON.stringify(text));
    t.equal(code, 2);
  }
  const missing = await runSluice(["config", "--config", "/nowhere/sluice.yaml"]);
  t.match(missing.stderr, /\/nowhere\/sluice\.yaml: there is no such file/);
});

t.test("a mistake in a variable names it", async (t) => {
  const unknown = await runSluice(["config"], { SLUICE_SERVE_FPS_LIMT: "3" });
  t.match(unknown.stderr, /SLUICE_SERVE_FPS_LIMT: sluice serve has no such option/);
  const wrong = await runSluice(["config"], { SLUICE_SERVE_FALLBACK: "perhaps" });
  t.match(wrong.stderr, /SLUICE_SERVE_FALLBACK: expected true or false, got "perhaps"/);
});

t.test("aliases do not blow a file up", async (t) => {
  const layers = Array.from({ length: 12 }, (_, i) => `  a${i + 1}: &a${i + 1} [${`*a${i}, `.repeat(10)}1]`);
  t.throws(() => parseConfig(`serve:\n  a0: &a0 [1]\n${layers.join("\n")}\n`, "bomb.yaml"), {
    message: /bomb\.yaml:3: a1: expected a text or a number/,
  });
});
