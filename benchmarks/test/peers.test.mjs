import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t from "tap";
import { advantage, formatEndToEnd } from "../peers/commands/end-to-end-report.mjs";
import { cellsOf, conditions } from "../peers/commands/impaired-cells.mjs";
import { formatImpaired } from "../peers/commands/impaired-report.mjs";
import { runLanes } from "../peers/commands/run-lanes.mjs";
import { scoreOf } from "../peers/commands/score.mjs";
import { openRecord, readRecord } from "../peers/record.mjs";
import { summarise } from "../peers/summary.mjs";
import { findSystem } from "../peers/systems/index.mjs";
import { ANSWER_BYTES, readAnswer, writeAnswer } from "../peers/tasks/answer.mjs";
import { createChecker, createContents } from "../peers/tasks/check.mjs";
import { packUint8, unpackUint8 } from "../peers/tasks/uint8-payload.mjs";
import { runWorkload } from "../peers/workload.mjs";

/** A clock that jumps to whatever is waited for next. */
function createJumpingTime() {
  let nowMs = 0;
  const waiting = [];
  const sleepUntil = (timeMs) => new Promise((resolve) => waiting.push({ timeMs, resolve }));
  return {
    time: { nowMs: () => nowMs, sleepUntil },
    async runUntil(done) {
      let isDone = false;
      done.finally(() => {
        isDone = true;
      });
      while (!isDone) {
        // Everything that follows from the last jump comes first.
        await new Promise((resolve) => setImmediate(resolve));
        waiting.sort((a, b) => a.timeMs - b.timeMs);
        const next = waiting.shift();
        if (next === undefined) continue;
        nowMs = Math.max(nowMs, next.timeMs);
        next.resolve();
      }
      return done;
    },
  };
}

/** A connection that answers after `delayOf(frame)` milliseconds; Infinity: never. */
const answeringAfter = (delayOf, time) => ({
  send: (frame) =>
    delayOf(frame) === Number.POSITIVE_INFINITY
      ? new Promise(() => {})
      : time.sleepUntil(time.nowMs() + delayOf(frame)).then(() => ({ answer: frame })),
});
const anyTask = { bytesOf: () => new Uint8Array(4), judge: () => ({ ok: true, share: 1 }) };
const paced = { kind: "paced", framesPerSecond: 10, warmUpSeconds: 0, deadlineMs: 150, cap: 2 };

t.test("paced frames are offered at their times, and as many as the cap are under way", async (t) => {
  const clock = createJumpingTime();
  const connection = answeringAfter((frame) => (frame === 0 ? 350 : 20), clock.time);
  const { frames } = await clock.runUntil(
    runWorkload(connection, anyTask, { ...paced, seconds: 0.5, cap: 1 }, clock.time),
  );
  t.same(
    frames.map(({ status }) => status),
    ["answered", "capped", "capped", "capped", "answered"],
  );
  t.same(
    frames.map(({ latencyMs }) => latencyMs),
    [350, undefined, undefined, undefined, 20],
  );
});

t.test("the warm-up is left out, and what is never answered does not hold up the end", async (t) => {
  const clock = createJumpingTime();
  const connection = answeringAfter((frame) => (frame === 3 ? Number.POSITIVE_INFINITY : 20), clock.time);
  const settings = { ...paced, seconds: 0.3, warmUpSeconds: 0.2 };
  const { frames } = await clock.runUntil(runWorkload(connection, anyTask, settings, clock.time));
  t.same(
    frames.map(({ frame, status }) => [frame, status]),
    [
      [2, "answered"],
      [3, "unanswered"],
      [4, "answered"],
    ],
  );
});

t.test("a system may drop a frame or fail", async (t) => {
  const clock = createJumpingTime();
  const connection = {
    async send(frame) {
      if (frame === 0) return { dropped: "deadline" };
      throw new Error("broken");
    },
  };
  const settings = { ...paced, seconds: 0.2 };
  const { frames } = await clock.runUntil(runWorkload(connection, anyTask, settings, clock.time));
  t.match(frames, [
    { status: "dropped", reason: "deadline" },
    { status: "failed", reason: "broken" },
  ]);
  t.throws(() => runWorkload(connection, anyTask, { kind: "odd" }), /workload.kind/);
});

t.test("shares are of what was offered; a frame counts where what came of it is right and in time", (t) => {
  const answered = (latencyMs, share = 1, ok = true) => ({ status: "answered", latencyMs, share, ok });
  const frames = [
    ...[answered(50), answered(60, 0.95), answered(70, 0.5), answered(200), answered(40, 1, false)],
    ...[{ status: "capped" }, { status: "dropped" }, { status: "unanswered" }],
  ];
  t.match(summarise(frames, { deadlineMs: 150 }), {
    ...{ offered: 8, answered: 5, capped: 1, dropped: 1, unanswered: 1, failed: 0, wrong: 1 },
    ...{ inTime: 0.375, usable: 0.25, complete: 0.125, elementShare: 0.81667 },
    ...{ p50Ms: 60, p99Ms: 200, maxMs: 200 },
  });
  t.match(summarise([{ status: "capped" }], { deadlineMs: 150 }), { inTime: 0, p50Ms: null, maxMs: null });
  t.end();
});

t.test("the check knows which tensor came, whole or in part, and that a wrong byte is wrong", (t) => {
  const contents = createContents({ bytes: 500, seed: 3 });
  const check = createChecker(contents);
  t.same(check(contents[5]), { content: 5, isIntact: true });
  const partial = contents[7].slice().fill(0, 100, 200);
  const missing = new Uint8Array(500).fill(1, 100, 200);
  t.same(check(partial, missing), { content: 7, isIntact: true });
  t.same(check(partial), { content: -1, isIntact: false });
  partial[400] ^= 1;
  t.same(check(partial, missing), { content: 7, isIntact: false });
  t.same(check(new Uint8Array(500), new Uint8Array(500).fill(1)), { content: -1, isIntact: false });
  t.same(check(contents[0].subarray(1)), { content: -1, isIntact: false });
  t.notSame(createContents({ bytes: 500, seed: 4 })[0], contents[0], "another seed, other tensors");
  t.end();
});

t.test("answers are small and come back as they were written", (t) => {
  const answer = { frame: 70_000, content: -1, receivedShare: 0.5, isIntact: false };
  const written = writeAnswer(answer);
  t.equal(written.length, ANSWER_BYTES);
  t.same(readAnswer(written), answer);
  t.throws(() => readAnswer(written.subarray(1)), /16 bytes/);
  t.end();
});

t.test("eight bits for each element keep them within half a step", (t) => {
  const values = Float32Array.from({ length: 1_000 }, (_, i) => Math.sin(i) * 7 - 2);
  const unpacked = unpackUint8(packUint8(values));
  const step = 14 / 255;
  t.ok(values.every((value, i) => Math.abs(value - unpacked[i]) <= step / 2 + 1e-5));
  t.same(unpackUint8(packUint8(new Float32Array(3).fill(2.5))), [2.5, 2.5, 2.5]);
  t.end();
});

t.test("cells: what is compared follows one another, in an order that turns round", (t) => {
  const cells = cellsOf(["sluice", "ws", "grpc-tuned"], 2);
  t.same(
    cells.slice(0, 5).map(({ variant }) => variant),
    ["sluice", "ws-cubic", "ws-bbr", "grpc-tuned-cubic", "grpc-tuned-bbr"],
  );
  const second = cells.filter(({ round }) => round === 1);
  t.equal(second[0].variant, "grpc-tuned-bbr");
  t.equal(new Set(cells.map(({ key }) => key)).size, cells.length, "keys are unique");
  const conditionsOf = (variant) => cells.filter((cell) => cell.variant === variant).length / 4;
  t.equal(conditionsOf("sluice"), conditions.length);
  t.ok(conditionsOf("grpc-tuned-bbr") < conditions.length);
  t.throws(() => findSystem("smoke-signals"), /known: .*ws/);
  t.end();
});

t.test("lanes work at the same time, each on one cell, and take all cells in order", async (t) => {
  const begun = [];
  const busy = new Set();
  await runLanes([1, 2, 3, 4, 5], ["a", "b"], async (cell, lane) => {
    t.notOk(busy.has(lane));
    busy.add(lane);
    begun.push(cell);
    await new Promise((resolve) => setImmediate(resolve));
    busy.delete(lane);
  });
  t.same(begun, [1, 2, 3, 4, 5]);
});

t.test("a record goes on where a run of the same settings was cut off", (t) => {
  const folder = mkdtempSync(join(tmpdir(), "sluice-record-"));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const file = join(folder, "cells.jsonl");
  const first = openRecord({ seed: 1, seconds: 4 }, { file });
  first.add({ key: "a", figures: 1 });
  const lines = readRecord(file);
  t.match(lines, { header: { seed: 1 }, cells: [{ key: "a", figures: 1 }] });
  writeFileSync(file, '{"key":"b", "fig', { flag: "a" });
  const resumed = openRecord({ seed: 1, seconds: 4 }, { file, resume: true });
  t.ok(resumed.has("a"));
  t.notOk(resumed.has("b"), "half a line is none");
  t.notOk(openRecord({ seed: 2, seconds: 4 }, { file, resume: true }).has("a"), "another seed");
  t.same(readRecord(join(folder, "none")).cells, []);
  t.end();
});

const figures = { inTime: 0.5, usable: 0.5, complete: 0.25, elementShare: 0.9, p50Ms: 50, p99Ms: 90 };
const bytesPerFrame = { up: 5_400, down: 200 };

t.test("the impaired report: a table for each size and loss, medians with their spread", (t) => {
  const cell = { name: "ws", variant: "ws-bbr", congestion: "bbr", bytes: 5_120, loss: 0.02, burst: 1 };
  const cells = [
    { ...cell, figures, bytesPerFrame },
    { ...cell, figures: { ...figures, inTime: 0.7 }, bytesPerFrame },
    { ...cell, error: "broken" },
  ];
  const report = formatImpaired({ cells });
  t.match(report, /### 5,120 B, 2 %/);
  t.match(report, /WebSocket \(bbr\) \| 60.0 \(50.0 to 70.0\) \| 50.0 \|/);
  t.notMatch(report, /cubic|100,352/);
  t.end();
});

t.test("the score counts right classes in time, and the report compares with the best peer", (t) => {
  const images = [{ label: 3 }, { label: 4 }];
  const frame = (image, content, latencyMs, ok = true) => ({
    ...{ status: "answered", image, content, latencyMs, ok },
  });
  const frames = [
    frame(0, 0, 100),
    frame(1, 0, 100),
    frame(1, 1, 200),
    frame(1, 1, 90, false),
    { status: "capped" },
  ];
  const settings = {
    images,
    bytesUp: 9_000,
    seconds: 2,
    deadlineMs: 150,
    classOf: ({ content }) => [3, 4][content],
  };
  t.same(scoreOf(frames, settings), { correctPerSecond: 0.5, bytesPerCorrect: 9_000 });
  t.same(scoreOf([], settings), { correctPerSecond: 0, bytesPerCorrect: null });
  const cell = (name, payload, correctPerSecond) => ({
    ...{ name, variant: name, payload, cap: 1, figures },
    score: { correctPerSecond, bytesPerCorrect: 1_000 },
  });
  const cells = [cell("deno", "uint8", 4), cell("sluice", "sluice", 24), cell("deno", "float32", 0)];
  t.equal(advantage(cells), 6);
  const rows = formatEndToEnd({ cells }).split("\n");
  t.match(rows[2], /^\| Sluice \| codec `sluice` \| 1 \| 24.00 /);
  t.match(rows[3], /uint8 \| 1 \| 4.00/);
  t.end();
});
