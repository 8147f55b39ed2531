// npm test [-- FILTER...]: set-up, checks, then every test file, two at a time. A filter is a part of a file's path.
// The last line is `N passed, N failed`, counted in assertions; each check counts as one.
import { existsSync, readdirSync } from "node:fs";
import { dirname, join, posix, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { inspect } from "node:util";
import { SetUpError, setUp } from "./setup.mjs";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const jobs = 2;
/** For one file; the whole of them is to stay within minutes. */
const limitMs = 300_000;

function filesBelow(directory, ending) {
  if (!existsSync(join(root, directory))) return [];
  return readdirSync(join(root, directory), { recursive: true })
    .filter((path) => path.endsWith(ending))
    .map((path) => posix.join(directory, ...path.split(sep)));
}

function findTests(filters) {
  const folders = ["packages", "services"].flatMap((parent) =>
    readdirSync(join(root, parent)).map((name) => `${parent}/${name}`),
  );
  const all = [
    ...filesBelow("scripts/test", ".test.mjs"),
    ...filesBelow("benchmarks/test", ".test.mjs"),
    ...filesBelow("services/test", ".test.mjs"),
    ...folders.flatMap((folder) => filesBelow(`${folder}/dist/test`, ".test.js")),
  ].sort();
  return filters.length === 0 ? all : all.filter((path) => filters.some((part) => path.includes(part)));
}

function indent(text, spaces) {
  return text.replace(/^(?=.)/gm, " ".repeat(spaces));
}

function printFailure({ name, diagnostics }) {
  console.log(`  not ok: ${name}`);
  if (diagnostics == null) return;
  // tap's source excerpt is long, and `at` says where it is.
  const { source: _, ...shown } = diagnostics;
  for (const [key, value] of Object.entries(shown)) {
    const text = typeof value === "string" ? value.trimEnd() : inspect(value, { depth: 6 });
    console.log(text.includes("\n") ? `    ${key}:\n${indent(text, 6)}` : `    ${key}: ${text}`);
  }
}

function printReport(report) {
  const failed = report.failures.length;
  const seconds = (report.milliseconds / 1000).toFixed(1);
  console.log(`${failed === 0 ? "ok     " : "FAILED "} ${report.path} (${report.passed}, ${seconds} s)`);
  for (const failure of report.failures) printFailure(failure);
  if (failed > 0 && report.stderr.trim() !== "") {
    console.log(`  stderr:\n${indent(report.stderr.trimEnd(), 4)}`);
  }
}

/** Runs the files, `jobs` at a time, and prints each report when it is there. */
async function runFiles(paths) {
  const { runTapFile } = await import("./run-tap-file.mjs");
  const waiting = [...paths];
  const reports = [];
  const work = async () => {
    for (let path = waiting.shift(); path !== undefined; path = waiting.shift()) {
      const report = await runTapFile(path, { root, limitMs });
      printReport(report);
      reports.push(report);
    }
  };
  await Promise.all(Array.from({ length: jobs }, work));
  return reports.sort((a, b) => (a.path < b.path ? -1 : 1));
}

async function test(filters) {
  const total = { passed: 0, failed: 0, skipped: 0 };
  if (filters.length === 0) {
    const { runChecks } = await import("./checks.mjs");
    for (const { name, ok, output } of runChecks()) {
      console.log(ok ? `ok      ${name}` : `FAILED  ${name}\n${indent(output, 2)}`);
      total[ok ? "passed" : "failed"]++;
    }
  }
  const paths = findTests(filters);
  if (paths.length === 0) {
    console.log(`FAILED  no test file${filters.length === 0 ? "" : `'s path holds ${filters.join(" or ")}`}`);
    total.failed++;
  }
  const reports = await runFiles(paths);
  for (const report of reports) {
    total.passed += report.passed;
    total.failed += report.failures.length;
    total.skipped += report.skipped.length;
    for (const { name, reason } of report.skipped) {
      console.log(`skipped ${report.path}: ${name} (${reason})`);
    }
  }
  const broken = reports.filter((report) => report.failures.length > 0);
  for (const { path } of broken) console.log(`FAILED  ${path}`);
  return total;
}

let total = { passed: 0, failed: 1, skipped: 0 };
try {
  await setUp();
  total = await test(process.argv.slice(2));
} catch (error) {
  console.log(error instanceof SetUpError ? error.message : error);
}
process.exitCode = total.failed > 0 || total.passed === 0 ? 1 : 0;
const skipped = total.skipped > 0 ? `, ${total.skipped} skipped` : "";
console.log(`${total.passed} passed, ${total.failed} failed${skipped}`);
