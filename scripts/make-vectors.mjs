// Writes spec/vectors/*.json from scripts/vectors/*.mjs: `node scripts/make-vectors.mjs`. With `--check` it writes
// nothing and fails where a file is not what would be written. What is expected is written by hand or computed by
// the slow code in that folder, never by the packages that the vectors judge.
import { existsSync, readdirSync, readFileSync, realpathSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { isDeepStrictEqual } from "node:util";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const sets = [
  ...["slice-headers", "datagrams", "tensor-streams", "control-messages", "slice-ranges", "mux-frames"],
  ...[
    "statistics",
    "codecs",
    "chains",
    "concealment",
    "reports",
    "fec",
    "interleaving",
    "bundles",
    "result-streams",
    "sessions",
  ],
];

const seen = new Set();

/** A case as it is stored. @throws where the two ways to the expected value disagree, or an id is used twice */
function finish({ check, ...rest }) {
  const expected = rest.output;
  if (check !== undefined && !isDeepStrictEqual(check, expected)) {
    throw new Error(`${rest.id}: by hand ${JSON.stringify(expected)}, computed ${JSON.stringify(check)}`);
  }
  if (seen.has(rest.id)) throw new Error(`${rest.id}: twice`);
  seen.add(rest.id);
  return rest;
}

/** One case a line: readable in a diff. */
function render(name, { about, cases }) {
  const lines = cases.map((entry) => `    ${JSON.stringify(finish(entry))}`);
  return `{\n  "set": ${JSON.stringify(name)},\n  "about": ${JSON.stringify(about)},\n  "cases": [\n${lines.join(",\n")}\n  ]\n}\n`;
}

/** Files as they should be, by their path from the root. @returns {Promise<Map<string, string>>} */
export async function makeVectors() {
  seen.clear();
  const files = new Map();
  for (const name of sets) {
    const set = await import(new URL(`./vectors/${name}.mjs`, import.meta.url).href);
    files.set(`spec/vectors/${name}.json`, render(name, set));
  }
  return files;
}

/** Names of files in spec/vectors that are not what {@link makeVectors} makes, or that it does not make. */
export async function staleVectors() {
  const files = await makeVectors();
  const stale = [...files].filter(([path, text]) => {
    const target = join(root, path);
    return !existsSync(target) || readFileSync(target, "utf8") !== text;
  });
  const strangers = readdirSync(join(root, "spec/vectors"))
    .filter((name) => name.endsWith(".json") && name !== "registry.json")
    .map((name) => `spec/vectors/${name}`)
    .filter((path) => !files.has(path));
  return [...stale.map(([path]) => path), ...strangers];
}

async function main() {
  if (process.argv.includes("--check")) {
    const stale = await staleVectors();
    for (const path of stale) console.error(`${path}: not what scripts/make-vectors.mjs makes`);
    if (stale.length > 0) process.exitCode = 1;
    return;
  }
  const files = await makeVectors();
  for (const [path, text] of files) writeFileSync(join(root, path), text);
  console.log(`${files.size} files, ${seen.size} cases`);
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(realpathSync(process.argv[1])).href)
  await main();
