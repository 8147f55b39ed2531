// Runs in the Debian 13 root, in the repository: the tests of the engine quinn. Its last line is their result as JSON.
import process from "node:process";
import { selectEngine } from "../../packages/http3/dist/index.js";
import { runTapFile } from "../run-tap-file.mjs";

const LIMIT_MS = 300_000;
const FILES = [
  "engine-compliance",
  "quinn",
  "quinn-parts",
  "select-engine",
  "connect",
  "web-transport",
  "authorize",
  "interop/chromium",
];

// Skipped tests prove nothing: here the engine has to load.
await selectEngine("quinn");
const reports = [];
for (const file of FILES) {
  const report = await runTapFile(`packages/http3/dist/test/${file}.test.js`, {
    root: process.cwd(),
    limitMs: LIMIT_MS,
  });
  reports.push(report);
  process.stderr.write(`${report.failures.length === 0 ? "ok    " : "FAILED"} ${file} (${report.passed})\n`);
  for (const failure of report.failures) process.stderr.write(`  ${JSON.stringify(failure)}\n`);
}
const { glibcVersionRuntime: glibc, nodejsVersion: node } = process.report.getReport().header;
console.log(JSON.stringify({ glibc, node, reports }));
// A test that leaves a handle open has been reported; it must not hold up the rest.
process.exit(0);
