import { join } from "node:path";
import { type SessionEvent, tensorStreamDefaults } from "@sluice/protocol";
import { createTracing, readTraceFile } from "@sluice/tracing";
import { createSystemClock } from "@sluice/transport";
import t from "tap";
import { sessionOfAgent, traceIdOf } from "#src/trace-id.js";
import { isSampled, parseTraceSample } from "#src/trace-sample.js";

t.test("samples", async (t) => {
  t.same(parseTraceSample("late"), { late: true, share: 0 });
  t.same(parseTraceSample("all"), { late: false, share: 1 });
  t.same(parseTraceSample("0.01"), { late: false, share: 0.01 });
  t.same(parseTraceSample("late, .25"), { late: true, share: 0.25 });
  for (const bad of ["", "most", "2", "-1", "0.1,0.2", "late,late", "late,0.1,0.2", "1e3"]) {
    t.throws(() => parseTraceSample(bad), { message: new RegExp(`got "${bad}"`) }, bad);
  }
  const ids = Array.from({ length: 20_000 }, (_, frame) => traceIdOf("s", 1, frame));
  const kept = ids.filter((id) => isSampled({ late: true, share: 0.1 }, id, false));
  t.ok(kept.length > 1_800 && kept.length < 2_200, `${kept.length} of 20,000 at a tenth`);
  t.ok(isSampled({ late: true, share: 0 }, ids[0]!, true));
  t.notOk(isSampled({ late: false, share: 0 }, ids[0]!, true));
  t.ok(ids.every((id) => isSampled({ late: false, share: 1 }, id, false)));
});

t.test("a session's name in an agent", async (t) => {
  t.equal(sessionOfAgent("sluice-cli trace/0af3"), "0af3");
  for (const agent of [
    "sluice-cli",
    "trace/0af3",
    "x trace/",
    "x trace/../../etc",
    `x trace/${"a".repeat(33)}`,
  ]) {
    t.equal(sessionOfAgent(agent), undefined, agent);
  }
});

const opened: SessionEvent = {
  ...{ name: "stream_opened", stream: 1, spec: { dtype: "uint8", shape: [1], layout: "any" }, model: "m" },
  ...{ split: "", codec: "raw", mode: "datagram", concealment: "zero", deadlineMs: 10 },
  ...{ statisticsHash: new Uint8Array(0), ...tensorStreamDefaults },
};

function expire(observe: (event: SessionEvent) => void, frame: number): void {
  const times = {
    capturedMs: 0,
    admittedMs: 0,
    submittedMs: 0,
    sendQueueMs: 0,
    deadlineMs: 10,
    givenUpAtMs: 20,
    maxResultBytes: 0,
  };
  const entry = { stream: 1, frame, ...times, expectedBytes: 1, payloadBytes: 0 };
  observe({ name: "frame_admitted", entry });
  observe({
    name: "event",
    event: {
      ...{ type: "expired", frame: entry, reason: "abandoned", result: undefined },
    },
  });
}

t.test("each session has a name of its own; the same frames have traces of their own", async (t) => {
  const path = join(t.testdir(), "traces.jsonl");
  const failures: string[] = [];
  const tracing = await createTracing({
    ...{ side: "client", version: "1", traceTo: path, clock: createSystemClock(globalThis) },
    onFailure: (reason) => failures.push(reason),
  });
  const sessions = [tracing.observeClient(), tracing.observeClient()];
  for (const { observe } of sessions) {
    observe(opened);
    for (let frame = 0; frame < 3; frame++) expire(observe, frame);
  }
  await tracing.close(5_000);
  t.same(failures, []);
  t.same(tracing.figures.traces, { exported: 6, dropped: 0, failed: 0 });
  const { traces } = await readTraceFile(path);
  t.equal(new Set(traces.map(({ traceId }) => traceId)).size, 6);
  t.same(
    traces.map(({ session }) => session),
    sessions.flatMap(({ agentSuffix }) => Array.from({ length: 3 }, () => sessionOfAgent(`x${agentSuffix}`))),
  );
  const todayMs = Date.now();
  t.ok(traces.every(({ startMs, durationMs }) => Math.abs(startMs + durationMs - todayMs) < 60_000));
});

t.test("a server takes the client's name, or makes one", async (t) => {
  const path = join(t.testdir(), "traces.jsonl");
  let made = 0;
  const tracing = await createTracing({
    ...{ side: "server", version: "1", traceTo: path, sample: "all", clock: createSystemClock(globalThis) },
    ...{ newSession: () => `made${++made}`, onFailure: (reason) => t.fail(reason) },
  });
  for (const agent of ["sluice-cli trace/fe12", "other"]) {
    const observe = tracing.observeServer(agent);
    observe(opened);
    const nothing = { slicesReceived: 1, slicesRecovered: 0, bytes: 1, units: 1, unitsReceived: 1 };
    const times = { firstArrivalMs: 5, lastArrivalMs: 5, capturedMs: 1, expiresAtMs: 9, rttMs: 2 };
    observe({ name: "frame_released", stream: 1, frame: 0, ...nothing, ...times });
    observe({ name: "session_closed", code: 0, reason: "" });
    // The model may still be at work on it.
    observe({
      name: "frame_answered",
      stream: 1,
      frame: 0,
      outcome: "done",
      code: 0,
      elements: 0,
      concealedElements: 0,
    });
  }
  await tracing.close(5_000);
  const { traces } = await readTraceFile(path);
  t.match(traces, [
    { session: "fe12", isNamedByClient: true, outcome: "expired", reason: "session-closed", isLate: true },
    { session: "made1", isNamedByClient: false },
  ]);
  t.equal(traces[0]?.traceId, traceIdOf("fe12", 1, 0));
});

t.test("options that cannot be", async (t) => {
  const common = {
    side: "client",
    version: "1",
    clock: createSystemClock(globalThis),
    onFailure() {},
  } as const;
  const dir = t.testdir({ file: "" });
  await t.rejects(createTracing({ ...common, traceTo: join(dir, "no/where") }), { code: "ENOENT" });
  await t.rejects(createTracing({ ...common, traceTo: join(dir, "x"), sample: "most" }), {
    message: /^--trace-sample: /,
  });
  await t.rejects(createTracing({ ...common, traceTo: "http://u:p@h" }), { message: /^--trace: / });
  await t.rejects(createTracing({ ...common, traceTo: "http://h", headers: "oops" }), { message: /^OTEL_/ });
  await t.rejects(createTracing({ ...common, qlog: join(dir, "file/below") }), { code: "ENOTDIR" });
});
