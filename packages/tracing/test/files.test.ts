import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readTraceFile, TraceFileError } from "@sluice/tracing";
import t from "tap";
import { openBoundedFile } from "#src/bounded-file.js";
import { formatTraceLine } from "#src/trace-lines.js";
import { runTwoEnds } from "./two-ends.js";

const [trace] = runTwoEnds({ frames: 1, deadlineMs: 500 }).client;
const line = formatTraceLine(trace!);

t.test("a file is appended to, up to its bound, and is its owner's", async (t) => {
  const path = join(t.testdir(), "traces");
  const first = await openBoundedFile(path, 10);
  await first.append("one\n");
  await first.close();
  t.equal(statSync(path).mode & 0o777, 0o600);
  const second = await openBoundedFile(path, 10);
  await second.append("two\n");
  await t.rejects(second.append("three\n"), { message: /10 bytes/ });
  await second.append("4\n");
  await second.close();
  t.equal(readFileSync(path, "utf8"), "one\ntwo\n4\n");
});

const full = "/dev/full";
t.test(
  "a full disk is an error of the append, and no more",
  { skip: !existsSync(full) && `no ${full}` },
  async (t) => {
    const file = await openBoundedFile(full, 1_000);
    await t.rejects(file.append("x\n"), { code: "ENOSPC" });
    await t.rejects(file.append("y\n"), { code: "ENOSPC" });
    await file.close();
  },
);

t.test("a file that cannot be opened", async (t) => {
  const dir = t.testdir({ file: "" });
  await t.rejects(openBoundedFile(join(dir, "none/file"), 1), { code: "ENOENT" });
  await t.rejects(openBoundedFile(dir, 1), { code: "EISDIR" });
});

t.test("traces are read as they were written", async (t) => {
  const path = join(t.testdir(), "traces.jsonl");
  writeFileSync(path, `${line}\n${line}`);
  const { traces, isCut } = await readTraceFile(path);
  t.equal(isCut, false);
  t.equal(traces.length, 2, "empty lines are passed over");
  t.equal(formatTraceLine(traces[0]!), line);
  t.match(traces[0], {
    traceId: trace!.traceId,
    frame: 0,
    outcome: "delivered",
    attributes: trace!.attributes,
  });
});

t.test("a last line that is cut is left out", async (t) => {
  const path = join(t.testdir(), "traces.jsonl");
  writeFileSync(path, line + line.slice(0, 100));
  t.match(await readTraceFile(path), { traces: { length: 1 }, isCut: true });
});

t.test("what is no trace: file, line and field", async (t) => {
  const path = join(t.testdir(), "bad.jsonl");
  const record = JSON.parse(line) as Record<string, unknown>;
  const without = ({ frame: _, ...rest }: Record<string, unknown>) => rest;
  const spans = [{ stage: "lunch", startMs: 1, durationMs: 2 }];
  for (const [text, expected] of [
    [`${line}no json\n`, /bad\.jsonl:2: no JSON/],
    ["a capture", /bad\.jsonl:1: no JSON/],
    [`${line}[]\n`, /bad\.jsonl:2: the line: expected an object/],
    [`${line}${JSON.stringify(without(record))}\n`, /:2: frame: expected a number, got nothing/],
    [`${JSON.stringify({ ...record, side: "moon" })}\n`, /:1: side: expected client or server, got "moon"/],
    [`${JSON.stringify({ ...record, deadlineMs: "x" })}\n`, /:1: deadlineMs: expected a number, got "x"/],
    [`${JSON.stringify({ ...record, attributes: 1 })}\n`, /:1: attributes: expected an object/],
    [
      `${JSON.stringify({ ...record, attributes: { ...trace!.attributes, rttMs: "1" } })}\n`,
      /attributes\.rttMs: expected a number/,
    ],
    [`${JSON.stringify({ ...record, spans: 1 })}\n`, /:1: spans: expected a list/],
    [`${JSON.stringify({ ...record, spans })}\n`, /:1: spans\[0\]\.stage: "lunch" is none of wait, client/],
    [`{}\n${line}${line}`, /:1: traceId/],
  ] as const) {
    writeFileSync(path, text);
    await t.rejects(readTraceFile(path), { name: "TraceFileError", message: expected });
  }
  t.ok(TraceFileError);
});
