import { once } from "node:events";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import t, { type Test } from "tap";
import { runSluice } from "./run-sluice.js";
import { startServer } from "./start-server.js";

t.setTimeout(120_000);

const token = "a-secret-that-nobody-writes-down";
/** Offered; on a busy machine the gate lets fewer through. */
const offered = 25;

/** Streams through a server, both with these options; resolves when both have ended. */
async function stream(t: Test, ofServer: readonly string[], ofClient: readonly string[]) {
  const [server, { url, certHash, metricsUrl }] = await startServer(t, [
    "--model",
    "sink",
    "--json",
    "--token",
    token,
    ...ofServer,
  ]);
  const run = await runSluice([
    ...["stream", url, "--cert-hash", certHash, "--token", token, "--model", "sink"],
    ...[
      "--source",
      "synthetic:8x8x16",
      "--frames",
      String(offered),
      "--fps",
      "100",
      "--deadline-ms",
      "20000",
      "--json",
    ],
    ...ofClient,
  ]);
  t.equal(run.code, 0, run.stderr);
  const metrics = await (await fetch(`${new URL(metricsUrl).origin}/metrics`)).text();
  server.kill("SIGTERM");
  const ended = await server.ended;
  t.equal(ended.code, 0, ended.stderr);
  const { admitted: frames, delivered } = JSON.parse(run.stdout) as Record<"admitted" | "delivered", number>;
  t.ok(frames > 0);
  t.equal(delivered, frames);
  return { run, ended, metrics, frames };
}

t.test("both ends trace into files, whose traces are joined; qlog tells the same story", async (t) => {
  const dir = t.testdir();
  const [client, server, qlog] = [join(dir, "client.jsonl"), join(dir, "server.jsonl"), join(dir, "qlog")];
  const { run, ended, frames } = await stream(
    t,
    ["--trace", server, "--trace-sample", "all", "--qlog", qlog],
    ["--trace", client, "--trace-sample", "all", "--qlog", qlog],
  );
  t.match(run.stderr, new RegExp(`^traces: ${frames} to ${client}$`, "m"));
  t.match(ended.stderr, `traces: ${frames} to ${server}`);

  const shown = await runSluice(["trace", client, server, "--json", "--slowest", "1000"]);
  t.equal(shown.code, 0, shown.stderr);
  const [summary, ...lines] = shown.stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  t.match(summary, {
    event: "summary",
    frames,
    joined: frames,
    late: 0,
    sessions: 1,
    ends: { delivered: frames },
  });
  t.equal(lines.length, frames);
  for (const frame of lines) {
    t.match(frame, { event: "frame", sides: ["client", "server"], outcome: "delivered", deadlineMs: 20_000 });
    const stages = frame.spans.map(({ stage }: { stage: string }) => stage);
    for (const stage of ["client", "encode", "network", "queue", "decode", "inference", "result"]) {
      t.ok(stages.includes(stage), stage);
    }
    for (const { durationMs } of frame.spans) t.ok(durationMs >= 0);
  }
  const text = await runSluice(["trace", client, server]);
  t.match(text.stdout, `${frames} frames of 1 session, ${frames} of them traced by both ends, 0 late`);
  t.equal(text.stdout.match(/^frame \d+ of stream 1: delivered after/gm)?.length, 3, "the three slowest");

  const files = readdirSync(qlog);
  t.equal(files.length, 2);
  const events = new Map<string, number>();
  for (const file of files) {
    const records = readFileSync(join(qlog, file), "utf8").split("\u001e").slice(1);
    const [header, ...rest] = records.map((record) => JSON.parse(record));
    t.equal(header.trace.common_fields.group_id, lines[0].session, "named as the traces are");
    let last = 0;
    for (const { name, time } of rest) {
      t.ok(time >= last);
      last = time;
      events.set(name, (events.get(name) ?? 0) + 1);
    }
    t.equal(rest.at(-1).name, "sluice:session_closed");
  }
  // What was late on a busy machine was sent again, and is refused as a duplicate.
  const arrived = (events.get("sluice:slice_received") ?? 0) + (events.get("sluice:slice_refused") ?? 0);
  t.ok(arrived >= frames && arrived <= (events.get("sluice:slice_sent") ?? 0));
  for (const name of ["frame_admitted", "frame_released", "frame_answered", "frame_delivered"]) {
    t.equal(events.get(`sluice:${name}`), frames, name);
  }
  for (const path of [client, server, ...files.map((file) => join(qlog, file))]) {
    t.notOk(readFileSync(path, "utf8").includes(token), `no token in ${path}`);
  }
});

interface Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
}

t.test("both ends export to a collector of OpenTelemetry, and their spans are of one trace", async (t) => {
  const spans: Span[] = [];
  const services = new Set<string>();
  const collector = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (text: string) => {
      body += text;
    });
    request.on("end", () => {
      t.match(request, {
        method: "POST",
        url: "/v1/traces",
        headers: { "content-type": "application/json" },
      });
      for (const { resource, scopeSpans } of JSON.parse(body).resourceSpans) {
        services.add(resource.attributes[0].value.stringValue);
        for (const scoped of scopeSpans) spans.push(...scoped.spans);
      }
      response.writeHead(200, { "content-type": "application/json" }).end("{}");
    });
  }).listen(0, "127.0.0.1");
  t.teardown(() => collector.close());
  await once(collector, "listening");
  const options = [
    "--trace",
    `http://127.0.0.1:${(collector.address() as AddressInfo).port}`,
    "--trace-sample",
    "all",
  ];
  const { run, metrics, frames } = await stream(t, options, options);
  t.match(run.stderr, `traces: ${frames} to http://127.0.0.1`);
  t.match(metrics, /^sluice_traces_total\{outcome="(exported|dropped|failed)"\} \d+$/m);
  t.same(services, new Set(["sluice-client", "sluice-server"]));
  const clients = spans.filter(({ name }) => name === "frame client");
  const servers = spans.filter(({ name }) => name === "frame server");
  t.equal(clients.length, frames);
  t.equal(servers.length, frames);
  for (const server of servers) {
    const parent = clients.find(({ spanId }) => spanId === server.parentSpanId);
    t.equal(parent?.traceId, server.traceId);
  }
  const ids = new Set(spans.map(({ spanId }) => spanId));
  t.equal(ids.size, spans.length);
  for (const { parentSpanId } of spans) t.ok(parentSpanId === undefined || ids.has(parentSpanId));
});

const full = "/dev/full";
t.test(
  "a full disk costs the traces and nothing else",
  { skip: !existsSync(full) && `no ${full}` },
  async (t) => {
    const options = ["--trace", full, "--trace-sample", "all"];
    const { run, ended, metrics, frames } = await stream(t, options, options);
    t.match(run.stderr, `traces: 0 to ${full}, ${frames} not taken`);
    t.match(run.stderr, /ENOSPC/);
    t.match(ended.stderr, /ENOSPC/);
    t.match(metrics, "sluice_frames_total");
  },
);

const base = {
  session: "s",
  isNamedByClient: true,
  stream: 1,
  deadlineMs: 100,
  attributes: { model: "m", split: "", codec: "raw", mode: "datagram", bytes: 10 },
};
/** A client's trace of a frame that left after 10 ms and whose result came `inferenceMs` and 40 ms later. */
const traceOf = (frame: number, inferenceMs: number) =>
  JSON.stringify({
    ...{
      ...base,
      frame,
      traceId: frame.toString(16).padStart(32, "0"),
      side: "client",
      startMs: 1_000 * frame,
    },
    ...{ durationMs: 50 + inferenceMs, outcome: "delivered", reason: "", isLate: inferenceMs > 50 },
    spans: [
      { stage: "client", startMs: 1_000 * frame, durationMs: 10 },
      { stage: "network", startMs: 1_000 * frame + 10, durationMs: 20 },
      { stage: "inference", startMs: 1_000 * frame + 30, durationMs: inferenceMs, isReported: true },
      { stage: "result", startMs: 1_000 * frame + 30 + inferenceMs, durationMs: 20 },
    ],
  });

t.test("sluice trace: summary, what made frames late, and waterfalls", async (t) => {
  const dir = t.testdir({
    "a.jsonl": `${[5, 6, 100, 5].map((ms, frame) => traceOf(frame, ms)).join("\n")}\n`,
  });
  const { code, stdout } = await runSluice(["trace", join(dir, "a.jsonl"), "--late", "--width", "60"]);
  t.equal(code, 0);
  t.same(stdout.split("\n"), [
    "4 frames of 1 session, 0 of them traced by both ends, 1 late",
    "  4 delivered",
    "",
    "stage      frames  p50 ms  p95 ms  p99 ms  max ms  made late",
    "client          4   10.00   10.00   10.00   10.00",
    "network         4   20.00   20.00   20.00   20.00",
    "inference       4    6.00  100.00  100.00  100.00          1",
    "result          4   20.00   20.00   20.00   20.00",
    "",
    "frame 2 of stream 1: delivered after 150.0 ms, 50.0 ms over its deadline  [00000000000000000000000000000002]",
    "  m, raw, datagram",
    "  10 B",
    "client      |██                              |    10.00 ms",
    "network     |  ████                          |    20.00 ms",
    "inference   |      ██████████████████████    |  ~100.00 ms <",
    "result      |                            ████|    20.00 ms",
    "deadline    |                    ^           |      100 ms",
    "",
    "",
  ]);
  const one = await runSluice(["trace", join(dir, "a.jsonl"), "--frame", "3"]);
  t.equal(one.stdout.match(/^frame /gm)?.length, 1);
  t.notOk(one.stdout.includes("\u001b"), "no colours where stdout is no terminal");
});

t.test("what cannot be read, and what cannot be asked for", async (t) => {
  const dir = t.testdir({
    ...{ "good.jsonl": `${traceOf(1, 5)}\n`, "bad.jsonl": `${traceOf(1, 5)}\noops\n`, "empty.jsonl": "" },
    "cut.jsonl": `${traceOf(1, 5)}\n{"traceId`,
  });
  const path = (name: string) => join(dir, name);
  for (const [args, code, message] of [
    [["trace", path("bad.jsonl")], 5, /bad\.jsonl:2: no JSON/],
    [["trace", path("empty.jsonl")], 5, /no traces in there/],
    [["trace", path("good.jsonl"), "--frame", "7"], 5, /--frame: no frame 7/],
    [["serve", "--trace-sample", "all"], 2, /--trace-sample: only with --trace/],
    [["stream", "https://127.0.0.1:1", "--trace", "http://u:p@h"], 2, /--trace: no user or password/],
  ] as const) {
    const run = await runSluice(args);
    t.equal(run.code, code, args.join(" "));
    t.match(run.stderr, message);
  }
  const cut = await runSluice(["trace", path("cut.jsonl")]);
  t.equal(cut.code, 0);
  t.match(cut.stderr, /cut\.jsonl: ends in the middle of a line/);
});
