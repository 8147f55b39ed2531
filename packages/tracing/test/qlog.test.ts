import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createVirtualClock } from "@sluice/simnet";
import type { Clock } from "@sluice/transport";
import t from "tap";
import { openQlogDirectory } from "#src/qlog-directory.js";
import { formatQlogEvent, formatQlogHeader } from "#src/qlog-record.js";
import type { ToldEvent } from "#src/told-event.js";
import { runTwoEnds } from "./two-ends.js";

const readme = readFileSync(new URL("../../README.md", import.meta.url), "utf8");

/** Every event; the compiler asks for a new one. */
const names: Readonly<Record<ToldEvent["name"], true>> = {
  ...{ session_opened: true, session_closed: true, stream_opened: true, stream_rejected: true },
  ...{
    stream_closed: true,
    limits_updated: true,
    drain_received: true,
    silence: true,
    frame_dropped: true,
    frame_admitted: true,
  },
  ...{ tensor_encoded: true, slice_sent: true, repair_sent: true },
  ...{ report_received: true, rate_updated: true, frame_expired: true, frame_delivered: true },
  ...{ slice_received: true, slice_refused: true, repair_received: true, datagram_recovered: true },
  ...{ report_sent: true, frame_released: true, tensor_decoded: true, tensor_concealed: true },
  ...{ tensor_inferred: true, frame_answered: true },
};

t.test("the README lists every event", async (t) => {
  for (const name of Object.keys(names)) t.ok(readme.includes(`\`sluice:${name}\``), name);
});

/** Texts of a sequence by RFC 7464. */
function readSequence(text: string): Record<string, unknown>[] {
  return text
    .split("\u001e")
    .slice(1)
    .map((record) => {
      if (!record.endsWith("\n")) throw new Error("a record without its end");
      return JSON.parse(record) as Record<string, unknown>;
    });
}

t.test(
  "a record: the separator, one line, times from the session's start, names as qlog has them",
  async (t) => {
    const event: ToldEvent = {
      ...{ name: "frame_released", stream: 1, frame: 2, units: 4, unitsReceived: 3, slicesReceived: 3 },
      ...{
        slicesRecovered: 0,
        bytes: 30,
        firstArrivalMs: 1_010.00049,
        lastArrivalMs: 1_012,
        capturedMs: 1_001,
      },
      ...{ expiresAtMs: Number.POSITIVE_INFINITY, rttMs: 20 },
    };
    const text = formatQlogEvent(event, 1_015.25, 1_000);
    t.same(readSequence(text), [
      {
        ...{ time: 15.25, name: "sluice:frame_released" },
        data: {
          ...{ stream: 1, frame: 2, units: 4, units_received: 3, slices_received: 3, slices_recovered: 0 },
          ...{
            bytes: 30,
            first_arrival_ms: 10,
            last_arrival_ms: 12,
            captured_ms: 1,
            expires_at_ms: null,
            rtt_ms: 20,
          },
        },
      },
    ]);
    const startedAt = "2026-01-02T03:04:05.678Z";
    t.match(readSequence(formatQlogHeader({ side: "server", session: "s", startedAt, version: "1" }))[0], {
      file_schema: "urn:ietf:params:qlog:file:sequential",
      serialization_format: "application/qlog+json-seq",
      trace: {
        event_schemas: [/^urn:sluice:/],
        vantage_point: { type: "server" },
        common_fields: {
          group_id: "s",
          reference_time: { clock_type: "monotonic", wall_clock_time: startedAt },
        },
      },
    });
  },
);

const settle = () => new Promise<void>((resolve) => setTimeout(resolve, 10));

async function openDirectory(directory: string, limits: { maxFileBytes?: number; maxBytes?: number } = {}) {
  const virtual = createVirtualClock();
  const clock: Clock = {
    ...{ now: virtual.now, schedule: virtual.after },
    cancel: (timer) => void virtual.cancel(timer as never),
  };
  const failures: string[] = [];
  const files = await openQlogDirectory({
    ...{ directory, side: "client", version: "1", clock, random: () => 0, today: () => 1_700_000_000_000 },
    ...{ ...limits, onFailure: (reason: string) => failures.push(reason) },
  });
  return { files, failures, virtual };
}

t.test("a file for each session, every event in it, times that never go back", async (t) => {
  const directory = join(t.testdir(), "qlog");
  const { files, virtual } = await openDirectory(directory);
  const { events } = runTwoEnds({ frames: 5, deadlineMs: 100 });
  for (const session of ["a", "b"]) {
    const observe = files.open(session);
    for (const event of events) {
      virtual.runUntil(virtual.now() + 1);
      observe(event);
    }
  }
  await files.close(1_000);
  const paths = readdirSync(directory);
  t.equal(paths.length, 2);
  t.equal(files.figures.exported, 2 * events.length);
  for (const path of paths) {
    t.match(path, /^20231114T221320Z-\d+-000[12]-[ab]-client\.sqlog$/);
    const [header, ...rest] = readSequence(readFileSync(join(directory, path), "utf8"));
    t.ok(header?.trace);
    t.equal(rest.length, events.length);
    let last = 0;
    for (const { time, name } of rest as { time: number; name: string }[]) {
      t.ok(time >= last, `${name} at ${time}`);
      t.ok(name.slice("sluice:".length) in names, name);
      last = time;
    }
  }
});

t.test("files and all of them are bounded; what does not fit is counted and told once", async (t) => {
  const { events } = runTwoEnds({ frames: 5, deadlineMs: 100 });
  for (const limits of [{ maxFileBytes: 300 }, { maxBytes: 300 }]) {
    const { files, failures } = await openDirectory(join(t.testdir(), "qlog"), limits);
    const observe = files.open("a");
    for (const event of events) observe(event);
    await settle();
    await files.close(1_000);
    t.same(files.figures, { exported: 0, dropped: 0, failed: events.length });
    t.equal(failures.length, 1);
    t.match(failures[0], /300 bytes/);
  }
});

t.test(
  "what all files lack is told once, not for each session, and again after something was written",
  async (t) => {
    const { events } = runTwoEnds({ frames: 5, deadlineMs: 100 });
    const { files, failures, virtual } = await openDirectory(join(t.testdir(), "qlog"), {
      maxFileBytes: 2_000,
    });
    let wanted = 0;
    const write = async (session: string, count: number) => {
      const observe = files.open(session);
      for (const event of events.slice(0, count)) observe(event);
      virtual.runUntil(virtual.now() + 1_000);
      wanted += count;
      // Files are real: what was pushed has been written or not when it is counted.
      while (files.figures.exported + files.figures.failed < wanted) await settle();
    };
    await write("a", events.length);
    await write("b", events.length);
    t.equal(failures.length, 1);
    await write("c", 1);
    t.equal(files.figures.exported, 1);
    await write("d", events.length);
    t.equal(failures.length, 2);
    t.equal(files.figures.failed, 3 * events.length);
    await files.close(1_000);
  },
);
