// Every numbered statement of spec/sluice.md must be shown by a vector or a test. Prints those that are not; with
// `--write` it first brings the table of section 12 up to date: what vectors and live suites say that they show, and
// the tests that the table names by hand.
import { existsSync, readdirSync, readFileSync, realpathSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const specPath = "spec/sluice.md";
const none = "no vector yet";

const row = /^\| (sluice\/[\d./]+) \| (.*) \|$/gm;

/** What the vectors and the live suites say that they show: ids, and the files that show them. */
export async function shownByCases() {
  const shown = new Map();
  const add = (id, file) => shown.set(id, [...new Set([...(shown.get(id) ?? []), file])]);
  for (const name of readdirSync(join(root, "spec/vectors")).filter((file) => file.endsWith(".json"))) {
    const file = `spec/vectors/${name}`;
    const set = JSON.parse(readFileSync(join(root, file), "utf8"));
    for (const { shows = [] } of [set, ...(set.cases ?? [])]) for (const id of shows) add(id, file);
  }
  const suites = await import(new URL("../packages/conformance/dist/index.js", import.meta.url).href);
  for (const [cases, file] of [
    [suites.serverCases, "packages/conformance/test/server-suite.test.ts"],
    [suites.clientCases, "packages/conformance/test/client-suite.test.ts"],
  ])
    for (const { shows } of cases) for (const id of shows) add(id, file);
  return shown;
}

/** Rows of the table of section 12: `[id, what it says, the files that it names]`. */
export function requirementRows(spec) {
  const table = spec.slice(spec.indexOf("\n## 12 "));
  return [...table.matchAll(row)].map(([, id, text]) => ({
    ...{ id, text },
    files: [...text.matchAll(/`([^`]+\.(?:test\.\w+|json))`/g)].map(([, file]) => file),
  }));
}

/** Offences, one line each. */
export async function checkRequirements(spec = readFileSync(join(root, specPath), "utf8")) {
  const shown = await shownByCases();
  const rows = requirementRows(spec);
  const body = spec.slice(0, spec.indexOf("\n## 12 "));
  const ids = [...body.matchAll(/\[(sluice\/[\d.]+\/\d+)\]/g)].map(([, id]) => id);
  const offences = [];
  for (const id of shown.keys()) if (!ids.includes(id)) offences.push(`${id}: shown, but not in ${specPath}`);
  for (const id of ids) {
    const found = rows.find((entry) => entry.id === id);
    const files = found?.files ?? [];
    if (files.length === 0) offences.push(`${id}: neither vector nor test`);
    for (const file of files) if (!existsSync(join(root, file))) offences.push(`${id}: no file ${file}`);
    for (const file of shown.get(id) ?? [])
      if (!files.includes(file)) offences.push(`${id}: ${file} shows it too; run it with --write`);
    for (const file of files)
      if (file.startsWith("spec/vectors/") && !shown.get(id)?.includes(file))
        offences.push(`${id}: no case of ${file} shows it`);
  }
  return offences;
}

/** The specification with a table that names every file which shows a statement. */
export async function updateTable(spec) {
  const shown = await shownByCases();
  return spec.replaceAll(row, (_line, id, text) => {
    const files = shown.get(id) ?? [];
    const others = text === none ? "" : text.replace(/`(spec\/vectors\/[^`]+)`(, )?/g, "");
    const kept = others.replace(/, $/, "").trim();
    const added = files.filter((file) => !kept.includes(file)).map((file) => `\`${file}\``);
    const cell = [...added, ...(kept === "" ? [] : [kept])].join(", ");
    return `| ${id} | ${cell === "" ? none : cell} |`;
  });
}

async function main() {
  const path = join(root, specPath);
  if (process.argv.includes("--write")) writeFileSync(path, await updateTable(readFileSync(path, "utf8")));
  const offences = await checkRequirements();
  for (const offence of offences) console.error(offence);
  if (offences.length > 0) process.exitCode = 1;
  else console.log("requirements: all are shown");
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(realpathSync(process.argv[1])).href)
  await main();
