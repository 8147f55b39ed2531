import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import {
  createLinePeer,
  formatReport,
  judgeCases,
  type LineCommand,
  ownImplementation,
  ownVectorsDirectory,
  parseKnownFailures,
  readVectors,
  runVectors,
} from "@sluice/conformance";
import t from "tap";

const python = fileURLToPath(new URL("../../python/", import.meta.url));
const vectors = (await readVectors(ownVectorsDirectory)).flatMap(({ cases }) => cases);

async function run(command: LineCommand, known: readonly string[]) {
  const peer = createLinePeer(command);
  const results = await runVectors(peer, vectors);
  await peer.close();
  return judgeCases(results, known);
}

/** The first Python that has Debian's python3-protobuf; `undefined` where there is none, or no protoc. */
async function findPython(): Promise<string | undefined> {
  const execute = promisify(execFile);
  const runs = (program: string, args: string[]) =>
    execute(program, args).then(
      () => true,
      () => false,
    );
  if (!(await runs("protoc", ["--version"]))) return undefined;
  for (const program of ["python3", "/usr/bin/python3"])
    if (await runs(program, ["-c", "import google.protobuf"])) return program;
  return undefined;
}

t.test("our own implementation passes every vector", async (t) => {
  const report = await run(ownImplementation, []);
  t.ok(report.ok, formatReport(report));
  t.equal(report.counts.known, 0);
  t.ok(report.counts.passed > 450, `${report.counts.passed} cases`);
});

const program = await findPython();
const skip = program === undefined && "python3-protobuf or protobuf-compiler is not installed";

t.test("the Python implementation passes every vector that is not on its list", { skip }, async (t) => {
  const known = parseKnownFailures(await readFile(`${python}known-failures.txt`, "utf8"));
  const report = await run([program!, `${python}main.py`], known);
  t.ok(report.ok, formatReport(report));
  t.strictSame(report.unusedPatterns, []);
  t.ok(report.counts.passed > 300, `${report.counts.passed} cases`);
});
