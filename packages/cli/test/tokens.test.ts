import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ExitCode } from "@sluice/cli";
import type { Authorize } from "@sluice/server";
import jwt from "jsonwebtoken";
import t, { type Test } from "tap";
import { readTokens } from "#cli/tokens/token-check.js";
import { digestOf, parseTokenTable } from "#cli/tokens/token-table.js";
import { runSluice, startSluice } from "./run-sluice.js";

const key = "k".repeat(32);
const none = { token: undefined, tokens: undefined, tokenKey: undefined };

async function writeFiles(t: Test, files: Readonly<Record<string, string>>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "sluice-tokens-"));
  t.teardown(() => rm(folder, { recursive: true }));
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  return folder;
}

const ask = (authorize: Authorize | undefined, token: string) => authorize?.(new TextEncoder().encode(token));

t.test("tokens of a file come in under their names, with their limits", async (t) => {
  const folder = await writeFiles(t, {
    "tokens.yaml": `- {name: camera-7, token: "0451", max-sessions: 2, fps-limit: 30}
- name: lab
  sha256: ${digestOf("open sesame").toString("hex")}
  bytes-limit: 250000
`,
  });
  const authorize = await readTokens({ ...none, token: "everybody's", tokens: join(folder, "tokens.yaml") });
  t.same(ask(authorize, "0451"), { name: "camera-7", maxSessions: 2, limits: { framesPerSecond: 30 } });
  t.same(ask(authorize, "open sesame"), { name: "lab", limits: { maxBytesPerSecond: 250_000 } });
  t.same(ask(authorize, "everybody's"), { name: "" });
  for (const wrong of ["", "0452", "0451 ", "x".repeat(5_000)]) t.equal(ask(authorize, wrong), false);
  t.equal(await readTokens(none), undefined, "nothing is asked of anybody");
});

t.test("signed tokens come in until they expire", async (t) => {
  const folder = await writeFiles(t, { key: `${key}\n` });
  const authorize = await readTokens({ ...none, tokenKey: join(folder, "key") });
  const good = jwt.sign({ "fps-limit": 5, "max-sessions": 1 }, key, { subject: "a", expiresIn: 60 });
  t.same(ask(authorize, good), { name: "a", maxSessions: 1, limits: { framesPerSecond: 5 } });
  const bad: Readonly<Record<string, string>> = {
    expired: jwt.sign({}, key, { subject: "a", expiresIn: -1 }),
    "without an end": jwt.sign({}, key, { subject: "a" }),
    "without a name": jwt.sign({}, key, { expiresIn: 60 }),
    "of another key": jwt.sign({}, "x".repeat(32), { subject: "a", expiresIn: 60 }),
    "of another algorithm": jwt.sign({}, key, { subject: "a", expiresIn: 60, algorithm: "HS512" }),
    unsigned: jwt.sign({}, "", { subject: "a", expiresIn: 60, algorithm: "none" }),
    changed: `${good.slice(0, -2)}AA`,
    "no token": "a.b.c",
  };
  for (const [what, token] of Object.entries(bad)) t.equal(ask(authorize, token), false, what);
  await t.rejects(readTokens({ ...none, tokenKey: join(await writeFiles(t, { key: "short" }), "key") }), {
    message: /--token-key: .* has 5 bytes, at least 32 are needed/,
  });
});

t.test("a mistake in the file names the line and shows no token", async (t) => {
  for (const [text, says] of [
    ["a: 1\n", /:1: expected a list/],
    ["- {name: a}\n", /:1: expected either token or sha256/],
    ["- {name: a, token: s3cret, sha256: x}\n", /:1: expected either token or sha256/],
    ["- {name: a, token: s3cret}\n- {name: a, token: s3cret2}\n", /:2: the name stands there twice/],
    ["- {name: a, token: 3000}\n", /:1: token: expected a text; quote digits/],
    ["- {name: a, sha256: s3cret}\n", /:1: sha256: expected 64 hexadecimal digits/],
    ["- {name: a, token: s3cret, fps: 3}\n", /:1: unknown key fps/],
    ["- {name: a, token: s3cret, fps-limit: 0}\n", /:1: fps-limit: expected a whole number from 1/],
    ["- {name: a, token: 's3cret\n", /:\d: not YAML or JSON/],
  ] as const) {
    try {
      parseTokenTable(text, "tokens.yaml");
      t.fail(text);
    } catch (error) {
      t.match((error as Error).message, says);
      t.notMatch((error as Error).message, /s3cret/);
    }
  }
});

t.test("a server lets in whom it knows, as often as it may, and logs no token", async (t) => {
  const folder = await writeFiles(t, {
    "tokens.yaml": "- {name: lab, token: open-sesame, max-sessions: 1, fps-limit: 5}\n",
  });
  const keyFile = join(folder, "token.key");
  const made = await runSluice([
    "token",
    "--token-key",
    keyFile,
    "--new-key",
    "--name",
    "visitor",
    "--expires",
    "1h",
  ]);
  t.equal(made.code, 0, made.stderr);
  const server = startSluice([
    ...["serve", "--listen", "127.0.0.1:0", "--metrics", "off", "--model", "sink", "--json"],
    ...["--tokens", join(folder, "tokens.yaml"), "--token-key", keyFile, "--log-level", "debug"],
  ]);
  t.teardown(() => server.kill("SIGKILL"));
  const { url, certHash } = JSON.parse(await server.line((line) => line.includes('"listening"'))) as Record<
    string,
    string
  >;
  const stream = (token: string, ...more: readonly string[]) => [
    ...["stream", url!, "--cert-hash", certHash!, "--model", "sink", "--source", "synthetic:4x4x4"],
    ...["--json", "--deadline-ms", "20000", "--token", token, ...more],
  ];
  const stranger = await runSluice(stream("guess", "--frames", "1"));
  t.equal(stranger.code, ExitCode.rejected, stranger.stderr);
  const visitor = await runSluice(stream(made.stdout.trim(), "--frames", "3"));
  t.equal(visitor.code, 0, visitor.stderr);

  const first = startSluice(stream("open-sesame", "--duration", "60"));
  t.teardown(() => first.kill("SIGKILL"));
  await server.errorLine((line) => line.includes('"identity":"lab"'));
  const second = await runSluice(stream("open-sesame", "--frames", "1"));
  t.equal(second.code, ExitCode.rejected, "one session is what it may have");
  first.kill("SIGINT");
  const { dropReasons } = JSON.parse((await first.ended).stdout) as { dropReasons: Record<string, number> };
  t.ok(
    Object.keys(dropReasons).length > 0,
    `30 frames a second are more than its 5: ${JSON.stringify(dropReasons)}`,
  );
  server.kill("SIGTERM");
  const { stderr } = await server.ended;
  t.notMatch(stderr, /open-sesame|guess/);
  t.notOk(stderr.includes(made.stdout.trim()));
});

t.test(
  "no secret is told anywhere, whatever the level: logs, errors with their traces, metrics, configuration",
  async (t) => {
    const secret = "s3cret-of-everybody";
    const guess = "gu3ss-of-a-stranger";
    const debug = { SLUICE_DEBUG: "1" };
    const told: string[] = [];
    const server = startSluice(
      [
        ...["serve", "--listen", "127.0.0.1:0", "--metrics", "127.0.0.1:0", "--model", "sink", "--json"],
        ...["--fallback", "--log-level", "debug"],
      ],
      { ...debug, SLUICE_TOKEN: secret },
    );
    t.teardown(() => server.kill("SIGKILL"));
    const { url, certHash, metricsUrl } = JSON.parse(
      await server.line((line) => line.includes('"listening"')),
    ) as { url: string; certHash: string; metricsUrl: string };
    for (const [token, code] of [
      [secret, 0],
      [guess, ExitCode.rejected],
    ] as const) {
      const run = await runSluice(
        [
          ...["stream", url, "--cert-hash", certHash, "--model", "sink", "--source", "synthetic:4x4x4"],
          ...["--frames", "2", "--deadline-ms", "20000"],
        ],
        { ...debug, SLUICE_STREAM_TOKEN: token },
      );
      t.equal(run.code, code, run.stderr);
      told.push(run.stdout, run.stderr);
    }
    for (const path of ["metrics", ".well-known/sluice"])
      told.push(await (await fetch(`${new URL(metricsUrl).origin}/${path}`)).text());
    server.kill("SIGTERM");
    const { stdout, stderr } = await server.ended;
    t.match(stderr, /session opened/);
    told.push(stdout, stderr);
    const shown = await runSluice(["config", "serve", "--print"], { ...debug, SLUICE_SERVE_TOKEN: secret });
    t.match(shown.stdout, /token: \(not shown\)/);
    told.push(shown.stdout, shown.stderr);
    const forms = [secret, guess].flatMap((text) => {
      const bytes = Buffer.from(text);
      return [
        text,
        bytes.toString("base64"),
        bytes.toString("hex"),
        [...bytes].join(","),
        digestOf(text).toString("hex"),
      ];
    });
    t.strictSame(
      told.flatMap((text) => forms.filter((form) => text.includes(form))),
      [],
    );
  },
);
