// The dashboards, each named by the question that it answers. Made into JSON by ../make-dashboards.mjs.
import { clientStages, serverStages } from "../../../packages/metrics/dist/index.js";
import { curves, dashboard, each, heat, number, query } from "./panel.mjs";

const server = 'job="sluice-server",instance=~"$instance"';
const client = 'job="sluice-client",instance=~"$instance"';
const rate = (metric, labels, by) => `sum by (${by}) (rate(${metric}{${labels}}[1m]))`;
const quantile = (q, metric, labels, by) =>
  `histogram_quantile(${q}, sum by (${[...by, "le"].join(", ")}) (rate(${metric}_bucket{${labels}}[1m])))`;
const share = (part, whole) => `sum(rate(${part}[1m])) / (sum(rate(${whole}[1m])) > 0)`;
const mean = (metric, labels, by = "") =>
  `sum by (${by}) (rate(${metric}_sum{${labels}}[1m])) / (sum by (${by}) (rate(${metric}_count{${labels}}[1m])) > 0)`;

/** Only what happens, and one series that says `none` where nothing does: a legend of zeros hides the one that is not. */
const happening = (expr, label) =>
  `(${expr} > 0) or on() label_replace(vector(0), "${label}", "none", "", "")`;
/** In the order in which a frame goes through them, so that they stand on each other like that. */
const waterfall = (labels, stages) =>
  stages.map((stage) =>
    query(mean("sluice_stage_duration_seconds", `${labels},stage="${stage}"`), stage.replaceAll("-", " ")),
  );
/** Node's own resolution, 10 ms, is in its figures; what is above it is lateness. */
const lateness = (quantile) => `clamp_min(nodejs_eventloop_lag_${quantile}_seconds{${server}} - 0.01, 0)`;

const good = (yellow, red) => [["green"], ["orange", yellow], ["red", red]];
const highIsGood = (yellow, green) => [["red"], ["orange", yellow], ["green", green]];

export const healthy = dashboard({
  ...{ uid: "sluice-healthy", title: "1 Is it healthy?", job: "sluice-server" },
  question: "Rate, errors and duration of frames, and who is connected.",
  rows: [
    {
      height: 5,
      panels: [
        number(
          "Servers up",
          "Servers that answer the scrape.",
          "short",
          query(`sum(up{${server}})`, "up"),
          highIsGood(1, 1),
        ),
        number(
          "Sessions",
          "Sessions that are open now.",
          "short",
          query(`sum(sluice_sessions{${server}})`, "sessions"),
          [["blue"]],
        ),
        number(
          "Frames with a result",
          "Of the frames that servers took in.",
          "percentunit",
          query(
            share(`sluice_frames_total{${server},outcome="delivered"}`, `sluice_frames_total{${server}}`),
            "delivered",
          ),
          highIsGood(0.95, 0.99),
        ),
        number(
          "Age at the result, p99",
          "From the capture of a frame until its result leaves.",
          "s",
          query(quantile(0.99, "sluice_frame_age_seconds", `${server},at="result"`, []), "p99"),
          good(0.1, 0.15),
        ),
      ],
    },
    {
      height: 9,
      panels: [
        curves(
          "Frames by outcome",
          "Every frame ends in exactly one of them.",
          each("frames"),
          [query(rate("sluice_frames_total", server, "outcome"), "{{outcome}}")],
          { stacked: true },
        ),
        curves(
          "Age of frames",
          "Since the capture: when inference starts, and when the result leaves.",
          "s",
          [
            query(quantile(0.5, "sluice_frame_age_seconds", server, ["at"]), "{{at}} p50"),
            query(quantile(0.99, "sluice_frame_age_seconds", server, ["at"]), "{{at}} p99"),
          ],
        ),
      ],
    },
    {
      height: 8,
      panels: [
        curves(
          "Sessions that ended, and refusals",
          "By how they ended; refused before they began, by reason.",
          each("sessions"),
          [
            query(rate("sluice_sessions_total", server, "outcome"), "ended: {{outcome}}"),
            query(
              happening(rate("sluice_sessions_rejected_total", server, "reason"), "reason"),
              "refused: {{reason}}",
            ),
          ],
        ),
        curves(
          "Violations and restarts",
          "What peers did against the protocol, by code; engines that were replaced.",
          "short",
          [
            query(
              happening(`sum by (code) (increase(sluice_protocol_errors_total{${server}}[5m]))`, "code"),
              "violation: {{code}}",
            ),
            query(
              `sum by (engine, reason) (increase(sluice_engine_restarts_total{${server}}[5m]))`,
              "{{engine}}: {{reason}}",
            ),
          ],
        ),
      ],
    },
  ],
});

export const late = dashboard({
  ...{ uid: "sluice-late", title: "2 Why are frames late?", job: "sluice-server" },
  question: "Where the time of a frame goes, and where frames end that have no result.",
  rows: [
    {
      height: 9,
      panels: [
        curves(
          "Mean of each stage, client",
          "A waterfall: the heights add up to the mean latency that the client sees.",
          "s",
          waterfall('job="sluice-client"', clientStages),
          { stacked: true },
        ),
        curves(
          "Mean of each stage, server",
          "The same inside the server.",
          "s",
          waterfall(server, serverStages),
          { stacked: true },
        ),
      ],
    },
    {
      height: 9,
      panels: [
        curves("p99 of each stage, server", "The stage whose tail is long is the one to look at.", "s", [
          query(quantile(0.99, "sluice_stage_duration_seconds", server, ["stage"]), "{{stage}}"),
        ]),
        curves(
          "Frames without a result, by reason",
          "At servers; large results that were given up were answered, and came too late.",
          each("frames"),
          [
            query(
              happening(
                rate("sluice_frames_total", `${server},outcome!="delivered"`, "outcome, reason"),
                "outcome",
              ),
              "{{outcome}} {{reason}}",
            ),
            query(
              happening(rate("sluice_results_given_up_total", server, "reason"), "reason"),
              "large result: {{reason}}",
            ),
          ],
          { stacked: true },
        ),
        curves(
          "Dropped and expired at clients",
          "The gate drops before any work is done; what expires was sent for nothing.",
          each("frames"),
          [
            query(
              happening(
                rate("sluice_frames_total", 'job="sluice-client",outcome!="delivered"', "outcome, reason"),
                "outcome",
              ),
              "{{outcome}} {{reason}}",
            ),
          ],
          { stacked: true },
        ),
      ],
    },
    {
      height: 8,
      panels: [
        heat(
          "Age at the result",
          "From the capture until the result leaves the server.",
          "s",
          `sum by (le) (increase(sluice_frame_age_seconds_bucket{${server},at="result"}[1m]))`,
        ),
        curves("Results after their deadline", "Counted by clients.", each("frames"), [
          query(rate("sluice_late_results_total", 'job="sluice-client"', "instance"), "{{instance}}"),
        ]),
      ],
    },
  ],
});

export const network = dashboard({
  ...{ uid: "sluice-network", title: "3 What does the network do?", job: "sluice-client" },
  question: "What the path carries and loses, as clients and servers see it.",
  rows: [
    {
      height: 9,
      panels: [
        curves(
          "Bandwidth: estimate, limit, use",
          "Estimated from arrivals; the limit is this session's share.",
          "bps",
          [
            query(`sluice_bandwidth_bits_per_second{${client}}`, "estimate {{instance}}"),
            query(`sluice_rate_bits_per_second{${client}}`, "limit {{instance}}"),
            query(`rate(sluice_sent_bytes_total{${client}}[1m]) * 8`, "use {{instance}}"),
          ],
          { log: true },
        ),
        curves("Round trip", "Smoothed, by clients.", "s", [
          query(`sluice_round_trip_seconds{${client}}`, "{{instance}}"),
        ]),
      ],
    },
    {
      height: 9,
      panels: [
        curves("Datagrams lost", "Share of what clients sent.", "percentunit", [
          query(
            `rate(sluice_datagrams_lost_total{${client}}[1m]) / (rate(sluice_datagrams_sent_total{${client}}[1m]) > 0)`,
            "{{instance}}",
          ),
        ]),
        curves(
          "Mean run of losses",
          "Datagrams lost one after the other. Long runs ask for interleaving and repair symbols.",
          "short",
          [
            query(
              `rate(sluice_datagrams_lost_total{${client}}[1m]) / (rate(sluice_loss_runs_total{${client}}[1m]) > 0)`,
              "{{instance}}",
            ),
          ],
        ),
        heat(
          "Runs of losses",
          "How many there were of which length: a few long ones make the same mean as many of middling length.",
          "suffix: datagrams",
          `sum by (le) (increase(sluice_loss_run_datagrams_bucket{${client}}[1m]))`,
        ),
        curves(
          "Repairs",
          "Slices brought back by repair symbols at servers, symbols that came for nothing, slices sent again by clients.",
          each(""),
          [
            query('sum(rate(sluice_slices_recovered_total{job="sluice-server"}[1m]))', "slices brought back"),
            query(
              'sum(rate(sluice_repair_symbols_total{job="sluice-server",outcome="taken"}[1m]))',
              "symbols taken",
            ),
            query(
              happening(
                'sum by (outcome) (rate(sluice_repair_symbols_total{job="sluice-server",outcome!="taken"}[1m]))',
                "outcome",
              ),
              "symbols wasted: {{outcome}}",
            ),
            query(`sum(rate(sluice_slices_repeated_total{${client}}[1m]))`, "sent again"),
          ],
        ),
      ],
    },
    {
      height: 8,
      panels: [
        curves("Bytes at servers", "In datagrams and streams.", "Bps", [
          query('sum(rate(sluice_received_bytes_total{job="sluice-server"}[1m]))', "received"),
          query('sum(rate(sluice_sent_bytes_total{job="sluice-server"}[1m]))', "sent"),
          query(
            'sum(rate(sluice_result_stream_bytes_total{job="sluice-server"}[1m]))',
            "of these, large results",
          ),
        ]),
        curves(
          "Datagrams given up",
          "By full queues, or because the path takes smaller ones now.",
          each("datagrams"),
          [
            query(
              'sum by (direction, reason) (rate(sluice_datagrams_dropped_total{job="sluice-server"}[1m]))',
              "server, {{direction}}: {{reason}}",
            ),
            query(`sum(rate(sluice_datagrams_dropped_total{${client}}[1m]))`, "clients, sent"),
          ],
        ),
        curves(
          "Lost unread at servers",
          "Packets and datagrams of sessions of which too many waited: the machine is behind, or the client sends too much. Ignored: packets of clients far beyond their limits.",
          each(""),
          [query(happening(rate("sluice_transport_dropped_total", server, "what"), "what"), "{{what}}")],
        ),
        curves(
          "Datagrams that wait",
          "In the transports, to be sent: more than a few are a full path.",
          "short",
          [
            query('sum(sluice_datagrams_queued{job="sluice-server"})', "servers"),
            query(`sum by (instance) (sluice_datagrams_queued{${client}})`, "client {{instance}}"),
          ],
        ),
      ],
    },
  ],
});

export const accuracy = dashboard({
  ...{ uid: "sluice-accuracy", title: "4 Is accuracy at risk?", job: "sluice-server" },
  question: "How much of the tensors was lost and concealed: beyond about a tenth, predictions change.",
  rows: [
    {
      height: 5,
      panels: [
        number(
          "Concealed elements, mean",
          "Share of a frame's elements.",
          "percentunit",
          query(mean("sluice_concealed_elements_ratio", server), "mean"),
          good(0.05, 0.1),
        ),
        number(
          "Units missing",
          "Share of the units of frames of which something came.",
          "percentunit",
          query(
            share(`sluice_units_missing_total{${server}}`, `sluice_units_expected_total{${server}}`),
            "missing",
          ),
          good(0.05, 0.1),
        ),
        number(
          "Undecodable frames",
          "Frames of which nothing could be used, each second.",
          each("frames"),
          query(`sum(rate(sluice_frames_total{${server},outcome="undecodable"}[1m]))`, "undecodable"),
          good(0.01, 0.1),
        ),
      ],
    },
    {
      height: 9,
      panels: [
        curves(
          "Concealed share of a frame",
          "Half, nineteen of twenty, and ninety-nine of a hundred frames have less.",
          "percentunit",
          [0.5, 0.95, 0.99].map((q) =>
            query(quantile(q, "sluice_concealed_elements_ratio", server, []), `p${q * 100}`),
          ),
          { max: 1 },
        ),
        curves(
          "Mean run of missing units",
          "In units, which are elements for codecs that quantize. What is lost in short runs can be told from its neighbours.",
          "short",
          [
            query(
              share(`sluice_units_missing_total{${server}}`, `sluice_missing_unit_runs_total{${server}}`),
              "units",
            ),
          ],
        ),
      ],
    },
    {
      height: 8,
      panels: [
        curves(
          "Slices that were not taken",
          "Duplicates, late ones, and what no rule allows.",
          each("slices"),
          [query(happening(rate("sluice_slices_rejected_total", server, "reason"), "reason"), "{{reason}}")],
        ),
        curves("Slices", "Received, and brought back by repair symbols.", each("slices"), [
          query(`sum(rate(sluice_slices_received_total{${server}}[1m]))`, "received"),
          query(`sum(rate(sluice_slices_recovered_total{${server}}[1m]))`, "brought back"),
        ]),
      ],
    },
  ],
});

export const machine = dashboard({
  ...{ uid: "sluice-machine", title: "5 Is the machine full?", job: "sluice-server" },
  question: "Utilisation, saturation and errors of what a server runs on.",
  rows: [
    {
      height: 9,
      panels: [
        curves("Processor", "Cores in use; inference has threads of its own.", "suffix: cores", [
          query(`rate(process_cpu_seconds_total{${server}}[1m])`, "{{instance}}"),
        ]),
        curves("Event loop, late by", "Sessions share the main thread.", "s", [
          query(lateness("p50"), "p50 {{instance}}"),
          query(lateness("p99"), "p99 {{instance}}"),
        ]),
        curves("Memory", "Resident, and the JavaScript heap of it.", "bytes", [
          query(`process_resident_memory_bytes{${server}}`, "resident {{instance}}"),
          query(`nodejs_heap_size_used_bytes{${server}}`, "heap {{instance}}"),
        ]),
      ],
    },
    {
      height: 9,
      panels: [
        curves("Inference", "Time of a run of the network, and frames in it.", "s", [
          query(mean("sluice_stage_duration_seconds", `${server},stage="inference"`), "inference, mean"),
          query(mean("sluice_stage_duration_seconds", `${server},stage="queue"`), "queue, mean"),
        ]),
        curves(
          "Frames that wait",
          "For the networks, of all sessions; they are shed when they would be late.",
          "short",
          [query(`sluice_frames_queued{${server}}`, "{{instance}}")],
        ),
        curves("Frames in a batch", "More than one where that is faster, never past a deadline.", "short", [
          query(mean("sluice_batch_frames", server), "mean"),
        ]),
        curves(
          "Limit because of load",
          "Frames per second that each session is told to keep to; 0: none.",
          each("frames"),
          [query(`sluice_load_limit_frames_per_second{${server}}`, "{{instance}}")],
        ),
      ],
    },
    {
      height: 8,
      panels: [
        curves("Connections and handshakes", "Of each transport engine.", "short", [
          query(`sum by (engine) (sluice_connections{${server}})`, "connections {{engine}}"),
          query(`sum by (engine) (sluice_handshakes{${server}})`, "handshakes {{engine}}"),
        ]),
        curves("Garbage collection", "Share of the time.", "percentunit", [
          query(`sum by (instance) (rate(nodejs_gc_duration_seconds_sum{${server}}[1m]))`, "{{instance}}"),
        ]),
        curves("Certificate ends in", "Of new connections.", "s", [
          query(`sluice_certificate_not_after_seconds{${server}} - time()`, "{{instance}}"),
        ]),
      ],
    },
  ],
});

export const dashboards = { healthy, late, network, accuracy, machine };
