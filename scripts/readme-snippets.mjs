// Runs the TypeScript examples of the documents, so that none of them can rot. An example takes part when a comment
// stands before its fence:
//
//   <!-- run: NAME -->                          checks its types and runs it
//   <!-- run: NAME with: serve --model sink --> runs it beside that `sluice` command, which must print a
//                                               "listening" line; SLUICE_URL and SLUICE_CERT_HASH hold what it said
//
// Imports resolve as they do in packages/cli, which depends on every public package.
import { spawn, spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath, pathToFileURL } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const scratch = join(root, "packages/cli/dist/snippets");
const limitMs = 60_000;

/** README.md, CONTRIBUTING.md and the packages' READMEs, as far as they exist; relative to the root. */
export function listDocuments() {
  const packages = readdirSync(join(root, "packages")).map((name) => `packages/${name}/README.md`);
  return ["README.md", "CONTRIBUTING.md", ...packages.sort()].filter((path) => existsSync(join(root, path)));
}

/**
 * The examples that a document marks.
 * @returns {{ document: string, name: string, line: number, server: string[] | undefined, code: string }[]}
 * @throws Error naming the document and line where a mark has no ts fence after it, or a name comes twice
 */
export function extractSnippets(document, text) {
  const lines = text.split("\n");
  const snippets = [];
  for (let at = 0; at < lines.length; at++) {
    const mark = /^<!-- run: ([\w-]+)(?: with: (.+?))? -->\s*$/.exec(lines[at]);
    if (mark === null) {
      if (/^<!--\s*run\b/.test(lines[at])) throw new Error(`${document}:${at + 1}: malformed mark`);
      continue;
    }
    const [, name, server] = mark;
    let open = at + 1;
    while (lines[open]?.trim() === "") open++;
    if (!/^```(?:ts|typescript)\s*$/.test(lines[open] ?? "")) {
      throw new Error(`${document}:${at + 1}: no \`\`\`ts block follows the mark of ${name}`);
    }
    const close = lines.indexOf("```", open);
    if (close < 0) throw new Error(`${document}:${open + 1}: the block of ${name} does not end`);
    if (snippets.some((snippet) => snippet.name === name)) {
      throw new Error(`${document}:${at + 1}: ${name} is there twice`);
    }
    const code = lines.slice(open + 1, close).join("\n");
    snippets.push({ document, name, line: open + 2, server: server?.split(/\s+/), code });
    at = close;
  }
  return snippets;
}

const config = {
  extends: "../../../../tsconfig.base.json",
  compilerOptions: {
    types: ["node"],
    // What examples may use besides the language: fetch, URL and the like come with Node's types.
    composite: false,
    incremental: false,
    declaration: false,
    declarationMap: false,
    noEmitOnError: true,
    // An example may name a thing to show it.
    noUnusedLocals: false,
  },
  include: ["*.mts"],
};

/** @returns {{ ok: boolean, output: string }} */
function compile(snippets, directory) {
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, "tsconfig.json"), JSON.stringify(config));
  for (const [index, { code }] of snippets.entries()) {
    writeFileSync(join(directory, `${fileName(snippets[index])}.mts`), `${code}\nexport {};\n`);
  }
  const tsc = join(root, "node_modules/typescript/bin/tsc");
  const { status, stdout } = spawnSync(process.execPath, [tsc, "--pretty", "false", "-p", directory], {
    encoding: "utf8",
    cwd: directory,
  });
  return { ok: status === 0, output: stdout.trim() };
}

function fileName({ document, name }) {
  return `${document.replace(/\.md$/, "").replaceAll("/", "-")}-${name}`;
}

/** Starts a `sluice` command that listens. Resolves to the environment for the example, and how to end it. */
async function startServer(args) {
  const sluice = join(root, "packages/cli/bin/sluice.js");
  const [command, ...options] = args;
  // Free ports, so that it disturbs nobody; what the mark says comes later and counts.
  const ports = command === "serve" ? ["--listen", "127.0.0.1:0", "--metrics", "127.0.0.1:0"] : [];
  const child = spawn(process.execPath, [sluice, command, ...ports, ...options, "--json"], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let errors = "";
  child.stderr.on("data", (chunk) => {
    errors = (errors + chunk).slice(-4000);
  });
  const ended = new Promise((resolve) => child.once("close", resolve));
  const stop = async () => {
    child.kill("SIGTERM");
    const force = setTimeout(() => child.kill("SIGKILL"), 5000);
    await ended;
    clearTimeout(force);
  };
  const listening = new Promise((resolve) => {
    createInterface({ input: child.stdout }).on("line", (line) => {
      try {
        const message = JSON.parse(line);
        if (message.event === "listening") resolve(message);
      } catch {
        // Not the line that is waited for.
      }
    });
  });
  let limit;
  const late = new Promise((resolve) => {
    limit = setTimeout(resolve, limitMs);
  });
  const message = await Promise.race([listening, ended, late]);
  clearTimeout(limit);
  if (typeof message !== "object" || message === null) {
    await stop();
    throw new Error(`sluice ${args.join(" ")} did not say where it listens\n${errors}`);
  }
  return { environment: { SLUICE_URL: message.url, SLUICE_CERT_HASH: message.certHash ?? "" }, stop };
}

function runNode(file, environment) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [file], {
      cwd: root,
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, ...environment },
      timeout: limitMs,
      killSignal: "SIGKILL",
    });
    const output = [];
    child.stdout.on("data", (chunk) => output.push(chunk));
    child.stderr.on("data", (chunk) => output.push(chunk));
    child.on("close", (code, signal) => {
      const end = signal === null ? "" : `ended by ${signal} (limit ${limitMs / 1000} s)\n`;
      resolve({ ok: code === 0, output: end + Buffer.concat(output).toString() });
    });
  });
}

async function runSnippet(snippet, directory) {
  let server;
  try {
    if (snippet.server !== undefined) server = await startServer(snippet.server);
    return await runNode(join(directory, `${fileName(snippet)}.mjs`), server?.environment ?? {});
  } catch (error) {
    return { ok: false, output: error.message };
  } finally {
    await server?.stop();
  }
}

/**
 * Checks the types of all examples, then runs one after the other.
 * @param {ReturnType<typeof extractSnippets>} snippets
 * @returns {Promise<{ name: string, ok: boolean, output: string }[]>}
 */
export async function runSnippets(snippets, directory = scratch) {
  if (snippets.length === 0) return [];
  const types = compile(snippets, directory);
  if (!types.ok) return [{ name: "types of the examples", ...types }];
  const results = [];
  for (const snippet of snippets) {
    const name = `${snippet.document}:${snippet.line} ${snippet.name}`;
    results.push({ name, ...(await runSnippet(snippet, directory)) });
  }
  return results;
}

/** All examples of the repository's documents. */
export function readSnippets() {
  return listDocuments().flatMap((path) => extractSnippets(path, readFileSync(join(root, path), "utf8")));
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(realpathSync(process.argv[1])).href) {
  for (const { name, ok, output } of await runSnippets(readSnippets())) {
    console.log(`${ok ? "ok     " : "FAILED "} ${name}\n${output.trimEnd()}`);
    if (!ok) process.exitCode = 1;
  }
}
