import { createClientMetrics } from "@sluice/metrics";
import t from "tap";

t.test("frames and path of a client, under the names of the server", async (t) => {
  const metrics = createClientMetrics({ processMetrics: false });
  let rttMs: number | undefined;
  metrics.watchPath(() => ({
    rttMs,
    bytesSent: 900,
    sessions: 1,
    silences: 5,
    silencesOutlasted: 3,
    datagramsSent: 12,
    datagramsLost: 3,
    lossRuns: 2,
    lossRunLengths: [1, 1],
    datagramsQueued: 4,
    datagramsDropped: 6,
  }));
  metrics.observeFrame({ status: "dropped", reason: "bandwidth" });
  metrics.observeFrame({ status: "expired", reason: "deadline" });
  metrics.observeFrame({
    ...{ status: "delivered", onTime: false, latencyMs: 160, concealedFraction: 0.25 },
    ...{ slicesReceived: 7, slicesRecovered: 1, sendQueueMs: 30 },
    timings: {
      produce: 2,
      encode: 1,
      network: 120,
      reassembly: 0,
      queue: 0,
      decode: 0,
      conceal: 0,
      inference: 37,
    },
  });
  const first = (await metrics.text()).split("\n");
  for (const line of [
    'sluice_frames_total{outcome="dropped",reason="bandwidth"} 1',
    'sluice_frames_total{outcome="expired",reason="deadline"} 1',
    'sluice_frames_total{outcome="delivered",reason="none"} 1',
    "sluice_late_results_total 1",
    "sluice_silences_total 5",
    "sluice_silences_outlasted_total 3",
    'sluice_frame_age_seconds_sum{at="result"} 0.16',
    'sluice_stage_duration_seconds_sum{stage="client"} 0.002',
    'sluice_stage_duration_seconds_sum{stage="network"} 0.09',
    'sluice_stage_duration_seconds_sum{stage="send-queue"} 0.03',
    'sluice_stage_duration_seconds_count{stage="decode"} 1',
    "sluice_concealed_elements_ratio_sum 0.25",
    "sluice_slices_received_total 7",
    "sluice_slices_recovered_total 1",
    "sluice_sent_bytes_total 900",
    "sluice_datagrams_lost_total 3",
    "sluice_loss_runs_total 2",
    'sluice_loss_run_datagrams_bucket{le="1"} 1',
    'sluice_loss_run_datagrams_bucket{le="2"} 2',
    "sluice_loss_run_datagrams_sum 3",
    "sluice_datagrams_queued 4",
    "sluice_datagrams_dropped_total 6",
    "sluice_repair_symbols_sent_total 0",
  ]) {
    t.ok(first.includes(line), line);
  }
  t.notOk(
    first.some((line) => line.startsWith("sluice_round_trip_seconds ")),
    "nothing was measured yet",
  );
  rttMs = 40;
  const second = (await metrics.text()).split("\n");
  t.ok(second.includes("sluice_round_trip_seconds 0.04"));
  t.ok(second.includes("sluice_sent_bytes_total 900"), "counts are read, not added up");
  t.ok(second.includes("sluice_loss_run_datagrams_sum 3"), "nor are runs");
});
