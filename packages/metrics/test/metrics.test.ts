import { createMetrics, type Metrics } from "@sluice/metrics";
import t from "tap";

const lines = async (metrics: Metrics): Promise<string[]> => (await metrics.text()).split("\n");
const createQuiet = () => createMetrics({ processMetrics: false });

t.test("every call arrives under its name, in base units", async (t) => {
  const m = createQuiet();
  m.observeSessionOpened();
  m.observeSessionOpened();
  m.observeSessionEnded("failed");
  m.observeFrame("delivered");
  m.observeFrame("expired", "server-queue");
  m.observeFrame("expired", "server-queue");
  m.observeFramesBegun(4);
  m.watchCapture(() => ({ written: 6, skipped: 2 }));
  m.observeSlicesReceived(17);
  m.observeSlicesRecovered(3);
  m.observeRepairSymbols("taken", 2);
  m.observeRepairSymbols("unneeded", 5);
  m.observeSlicesRejected("late");
  m.observeSlicesRejected("duplicate", 4);
  m.observeReceivedBytes(1200);
  m.observeReceivedBytes(300);
  m.observeResultStreams(2, 70_000);
  m.observeResultsGivenUp("expired", 1);
  m.observeSentBytes(90);
  m.observeBatch(5);
  m.observeLoadLimit(12.5);
  m.observeUnits(40, 6, 2);
  m.observeConcealedRatio(0.04);
  m.observeStage("inference", 38);
  m.observeFrameAge("result", 92);
  m.observeDatagramsDropped("sent", "queue-full", 3);
  m.observeProtocolError(7);
  m.watchNetworks(() => [
    { model: "faces@2", split: "add_3", provider: "webgpu" },
    { model: "fashion", split: "", provider: "" },
  ]);
  m.watchQueues(() => ({ frames: 9, frameBytes: 4_000, datagrams: 31 }));
  const text = await lines(m);
  for (const line of [
    "sluice_sessions 1",
    'sluice_sessions_total{outcome="failed"} 1',
    'sluice_frames_total{outcome="delivered",reason="none"} 1',
    'sluice_frames_total{outcome="expired",reason="server-queue"} 2',
    "sluice_frames_begun_total 4",
    'sluice_captured_frames_total{outcome="written"} 6',
    'sluice_captured_frames_total{outcome="skipped"} 2',
    "sluice_slices_received_total 17",
    "sluice_slices_recovered_total 3",
    'sluice_repair_symbols_total{outcome="taken"} 2',
    'sluice_repair_symbols_total{outcome="unneeded"} 5',
    'sluice_slices_rejected_total{reason="late"} 1',
    'sluice_slices_rejected_total{reason="duplicate"} 4',
    'sluice_batch_frames_bucket{le="4"} 0',
    'sluice_batch_frames_bucket{le="6"} 1',
    "sluice_load_limit_frames_per_second 12.5",
    "sluice_units_expected_total 40",
    "sluice_units_missing_total 6",
    "sluice_missing_unit_runs_total 2",
    "sluice_received_bytes_total 1500",
    "sluice_sent_bytes_total 90",
    "sluice_result_streams_total 2",
    "sluice_result_stream_bytes_total 70000",
    'sluice_results_given_up_total{reason="expired"} 1',
    'sluice_results_given_up_total{reason="stopped"} 0',
    'sluice_concealed_elements_ratio_bucket{le="0.02"} 0',
    'sluice_concealed_elements_ratio_bucket{le="0.05"} 1',
    'sluice_stage_duration_seconds_bucket{le="0.035",stage="inference"} 0',
    'sluice_stage_duration_seconds_bucket{le="0.05",stage="inference"} 1',
    'sluice_stage_duration_seconds_sum{stage="inference"} 0.038',
    'sluice_frame_age_seconds_sum{at="result"} 0.092',
    'sluice_datagrams_dropped_total{direction="sent",reason="queue-full"} 3',
    'sluice_protocol_errors_total{code="7"} 1',
    'sluice_repair_symbols_total{outcome="late"} 0',
    'sluice_network_loaded{model="faces@2",split="add_3",provider="webgpu"} 1',
    'sluice_network_loaded{model="fashion",split="",provider=""} 1',
    "sluice_frames_queued 9",
    "sluice_frames_queued_bytes 4000",
    "sluice_datagrams_queued 31",
    "sluice_invalid_observations_total 0",
  ]) {
    t.ok(text.includes(line), line);
  }
});

t.test("known series are there from the start, with 0", async (t) => {
  const text = await lines(createQuiet());
  for (const line of [
    "sluice_sessions 0",
    'sluice_sessions_total{outcome="closed"} 0',
    'sluice_frames_total{outcome="undecodable",reason="none"} 0',
    'sluice_stage_duration_seconds_count{stage="reassembly"} 0',
    'sluice_frame_age_seconds_count{at="inference"} 0',
  ]) {
    t.ok(text.includes(line), line);
  }
});

t.test("names keep to Prometheus' conventions", async (t) => {
  const text = await lines(createQuiet());
  const types = text.filter((line) => line.startsWith("# TYPE ")).map((line) => line.split(" ").slice(2));
  t.equal(types.length, 24);
  for (const [name, type] of types) {
    t.match(name, /^sluice_[a-z_]+$/);
    t.equal(type === "counter", name!.endsWith("_total"), `${name} is a ${type}`);
    if (type === "histogram") t.match(name, /_(seconds|ratio|frames)$/);
    t.ok(
      text.some((line) => line.startsWith(`# HELP ${name} `) && line.endsWith(".")),
      `${name} has a help text`,
    );
  }
});

t.test("numbers that are not sound are left out and counted, and nothing throws", async (t) => {
  const m = createQuiet();
  m.observeSlicesReceived(-1);
  m.observeReceivedBytes(Number.NaN);
  m.observeStage("decode", Number.POSITIVE_INFINITY);
  m.observeFrameAge("result", -5);
  m.observeConcealedRatio(Number.NaN);
  m.observeSlicesRejected("late", -1);
  const text = await lines(m);
  t.ok(text.includes("sluice_invalid_observations_total 6"));
  t.ok(text.includes("sluice_slices_received_total 0"));
  t.ok(text.includes('sluice_stage_duration_seconds_count{stage="decode"} 0'));
});

t.test("a peer cannot make series without end", async (t) => {
  const m = createQuiet();
  for (let i = 0; i < 5000; i++) {
    m.observeProtocolError(i);
    m.observeFrame("rejected", `reason-${i}`);
    m.observeSlicesRejected(`reason-${i}`);
    m.observeDatagramsDropped("received", `reason "${i}"\n`);
  }
  const text = await lines(m);
  t.ok(text.length < 445, `${text.length} lines`);
  t.ok(text.includes('sluice_protocol_errors_total{code="other"} 4952'));
  t.ok(text.includes('sluice_datagrams_dropped_total{direction="received",reason="other"} 5000'));
});

t.test("registries are apart, and have the process and its event loop unless told otherwise", async (t) => {
  const [a, b] = [createMetrics(), createMetrics()];
  a.observeSessionOpened();
  t.match(await a.text(), /^sluice_sessions 1$/m);
  const text = await b.text();
  t.match(text, /^sluice_sessions 0$/m);
  t.match(text, /^process_cpu_seconds_total /m);
  t.match(text, /^nodejs_eventloop_lag_p99_seconds /m);
  t.notMatch(await createQuiet().text(), /^process_/m);
});

t.test("a transport is read anew for each scrape", async (t) => {
  const m = createQuiet();
  const refused = { "server-full": 0, unauthorized: 0 };
  const quiche = {
    ...{ engine: "quiche", isListening: true, connections: 0, handshakes: 0, retries: 0 },
    dropped: { packets: 0, datagrams: 0, ignored: 7 },
    restarts: { hang: 0, crash: 0 },
  };
  m.watchTransport(() => ({
    ...{ refused, engines: [quiche], certificateNotAfter: new Date(1_800_000_000_000) },
  }));
  const before = await lines(m);
  for (const line of [
    'sluice_sessions_rejected_total{reason="server-full"} 0',
    'sluice_engine_restarts_total{engine="quiche",reason="hang"} 0',
    'sluice_engine_restarts_total{engine="quiche",reason="crash"} 0',
    'sluice_retries_sent_total{engine="quiche"} 0',
    'sluice_transport_dropped_total{engine="quiche",what="packets"} 0',
    'sluice_transport_dropped_total{engine="quiche",what="ignored"} 7',
    'sluice_engine_up{engine="quiche"} 1',
    "sluice_certificate_not_after_seconds 1800000000",
  ]) {
    t.ok(before.includes(line), line);
  }
  refused.unauthorized = 3;
  Object.assign(quiche, { isListening: false, connections: 7, handshakes: 2, retries: 9 });
  quiche.restarts.hang = 1;
  Object.assign(quiche.dropped, { packets: 5, datagrams: 70 });
  for (let scrape = 0; scrape < 2; scrape++) {
    const after = await lines(m);
    for (const line of [
      'sluice_sessions_rejected_total{reason="unauthorized"} 3',
      'sluice_engine_restarts_total{engine="quiche",reason="hang"} 1',
      'sluice_retries_sent_total{engine="quiche"} 9',
      'sluice_transport_dropped_total{engine="quiche",what="packets"} 5',
      'sluice_transport_dropped_total{engine="quiche",what="datagrams"} 70',
      'sluice_connections{engine="quiche"} 7',
      'sluice_handshakes{engine="quiche"} 2',
      'sluice_engine_up{engine="quiche"} 0',
    ]) {
      t.ok(after.includes(line), `scrape ${scrape}: ${line}`);
    }
  }
});

t.test("what became of traces and qlog events, read for each scrape", async (t) => {
  const metrics = createMetrics({ processMetrics: false });
  let exported = 1;
  metrics.watchTracing(() => ({
    traces: { exported, dropped: 2, failed: 3 },
    qlogEvents: { exported: 4, dropped: 0, failed: 0 },
  }));
  t.match(await metrics.text(), 'sluice_traces_total{outcome="exported"} 1\n');
  exported = 7;
  const text = await metrics.text();
  for (const line of [
    'sluice_traces_total{outcome="exported"} 7',
    'sluice_traces_total{outcome="dropped"} 2',
    'sluice_traces_total{outcome="failed"} 3',
    'sluice_qlog_events_total{outcome="exported"} 4',
  ]) {
    t.ok(text.split("\n").includes(line), line);
  }
});
