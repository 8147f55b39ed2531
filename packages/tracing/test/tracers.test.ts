import { blameStage, type FrameTrace, joinTraces, summarizeTraces, usualTimes } from "@sluice/tracing";
import t from "tap";
import { oneWayMs, runTwoEnds, workMs } from "./two-ends.js";

const stagesOf = ({ spans }: Pick<FrameTrace, "spans">) => spans.map(({ stage }) => stage);
const msOf = ({ spans }: Pick<FrameTrace, "spans">, stage: string) =>
  spans.filter((span) => span.stage === stage).reduce((sum, { durationMs }) => sum + durationMs, 0);

t.test("a client alone has the whole waterfall, which adds up to the latency", async (t) => {
  const { client } = runTwoEnds({ frames: 3, deadlineMs: 500 });
  t.equal(client.length, 3);
  for (const trace of client) {
    t.match(trace, { side: "client", outcome: "delivered", reason: "", isLate: false, deadlineMs: 500 });
    t.match(trace.attributes, {
      ...{ model: "sink", codec: "raw", mode: "datagram", bytes: 4_000, slices: 4, slicesSent: 4 },
      ...{ slicesReceived: 4, slicesRecovered: 0, slicesRepeated: 0, concealedFraction: 0, rttMs: Number },
    });
    t.same(stagesOf(trace), [
      ...["wait", "client", "encode", "send-queue", "send", "network", "reassembly"],
      ...["queue", "decode", "conceal", "inference", "result"],
    ]);
    t.equal(msOf(trace, "wait"), 1, "it was captured a millisecond before it was offered");
    t.equal(msOf(trace, "client"), workMs.produce);
    t.equal(msOf(trace, "encode"), workMs.encode);
    t.equal(msOf(trace, "inference"), workMs.inference);
    const sum = trace.spans
      .filter(({ stage }) => stage !== "reassembly")
      .reduce((total, { durationMs }) => total + durationMs, 0);
    t.ok(Math.abs(sum - trace.durationMs) < 1e-6, `${sum} of ${trace.durationMs}`);
    let endMs = trace.startMs;
    for (const span of trace.spans.filter(({ stage }) => stage !== "reassembly")) {
      t.ok(Math.abs(span.startMs - endMs) < 1e-3, `${span.stage} begins where the one before ends`);
      endMs = span.startMs + span.durationMs;
    }
  }
});

t.test("both ends name a trace alike, and joined on one clock every stage is where it was", async (t) => {
  const { client, server } = runTwoEnds({ frames: 4, deadlineMs: 500 });
  t.same(
    server.map(({ traceId }) => traceId),
    client.map(({ traceId }) => traceId),
  );
  t.equal(new Set(client.map(({ traceId }) => traceId)).size, 4);
  t.match(client[0]?.traceId, /^[0-9a-f]{32}$/);
  for (const joined of joinTraces([...server, ...client])) {
    t.ok(joined.client && joined.server);
    t.same(stagesOf(joined).toSorted(), [
      ...["answer", "client", "conceal", "decode", "encode", "inference", "network", "queue", "queue"],
      ...["reassembly", "release", "result", "send", "send-queue", "wait"],
    ]);
    t.ok(Math.abs(msOf(joined, "network") - oneWayMs) < 1, `network ${msOf(joined, "network")}`);
    t.ok(Math.abs(msOf(joined, "result") - oneWayMs) < 1, `result ${msOf(joined, "result")}`);
    t.ok(Math.abs(msOf(joined, "queue") - workMs.wait) < 1e-3);
    t.ok(Math.abs(msOf(joined, "decode") - workMs.decode) < 1e-3);
  }
});

t.test("lost slices: what was waited for, concealed, and told of both ends", async (t) => {
  const { client, server } = runTwoEnds({ frames: 4, deadlineMs: 500, isLost: (sequence) => sequence === 5 });
  const [, lossy] = joinTraces([...client, ...server]);
  t.match(lossy?.client?.attributes, { slicesReceived: 3, slicesSent: 4, concealedFraction: 0.25 });
  t.match(lossy?.server?.attributes, { slicesReceived: 3, bytes: 3_000, concealedFraction: 0.25 });
  t.ok(msOf(lossy!, "release") > 0, "the missing slice was waited for");
});

t.test("a late frame is blamed on the stage that took longer than usual", async (t) => {
  const { client, server } = runTwoEnds({
    ...{ frames: 6, deadlineMs: 200 },
    extraMs: (frame) => (frame === 3 ? 180 : 0),
  });
  for (const traces of [client, server, [...client, ...server]]) {
    const joined = joinTraces(traces);
    const late = joined.filter(({ main }) => main.isLate);
    t.same(
      late.map(({ main }) => main.frame),
      [3],
    );
    t.equal(blameStage(late[0]!, usualTimes(joined)), "inference");
    const summary = summarizeTraces(joined);
    t.match(summary, { frames: 6, late: 1, sessions: 1 });
    t.same(
      summary.stages.filter(({ blamed }) => blamed > 0).map(({ stage, blamed }) => ({ stage, blamed })),
      [{ stage: "inference", blamed: 1 }],
    );
  }
});

t.test("a frame of which nothing comes expires in the network, at the client alone", async (t) => {
  const { client, server } = runTwoEnds({
    frames: 3,
    deadlineMs: 100,
    isLost: (sequence) => sequence >= 4 && sequence < 8,
  });
  t.match(
    client.find(({ frame }) => frame === 1),
    { outcome: "expired", reason: "no-result", isLate: true },
  );
  t.equal(stagesOf(client.find(({ frame }) => frame === 1)!).at(-1), "network");
  t.notOk(server.some(({ frame }) => frame === 1));
});

t.test("every admitted frame ends once, and every slice that came was sent", async (t) => {
  const { events } = runTwoEnds({ frames: 20, deadlineMs: 100, isLost: (sequence) => sequence % 7 === 3 });
  const named = (name: string) =>
    events.flatMap((event) =>
      event.name === name && "frame" in event ? [`${event.stream}/${event.frame}`] : [],
    );
  const ended = [...named("frame_delivered"), ...named("frame_expired")];
  t.same(ended.toSorted(), named("frame_admitted").toSorted());
  t.ok(ended.length > 0);
  const slices = (name: string) =>
    new Set(
      events.flatMap((event) =>
        event.name === name && "index" in event ? [`${event.frame}/${event.index}`] : [],
      ),
    );
  const sent = slices("slice_sent");
  for (const slice of slices("slice_received")) t.ok(sent.has(slice), slice);
  t.ok(slices("slice_received").size < sent.size, "some were lost");
});

t.test("what is sent again and what repair symbols bring back", async (t) => {
  const isLost = (sequence: number) => sequence % 9 === 4;
  const again = runTwoEnds({ frames: 20, deadlineMs: 400, isLost, minReceivedPercent: 100 });
  t.ok(again.client.some(({ attributes }) => (attributes.slicesRepeated ?? 0) > 0));
  const corrected = runTwoEnds({ frames: 40, deadlineMs: 400, isLost, fec: "rs:max=50" });
  const recovered = (traces: readonly FrameTrace[]) =>
    traces.reduce((sum, { attributes }) => sum + (attributes.slicesRecovered ?? 0), 0);
  t.ok(recovered(corrected.client) > 0);
  t.equal(recovered(corrected.server), recovered(corrected.client));
  const names = new Set(corrected.events.map(({ name }) => name));
  for (const name of ["repair_sent", "repair_received", "datagram_recovered"] as const)
    t.ok(names.has(name), name);
});
