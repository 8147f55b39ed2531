import { createClientMetrics, type StrategyFigures } from "@sluice/metrics";
import t from "tap";

const figures: StrategyFigures = {
  ...{ probes: 3, rescued: 2, offeredTo: { client: 10, "add_3 quantize:levels=8": 20 } },
  estimates: { clientLoad: 1.5, serverLoad: 1 },
  predictions: [
    { candidate: "client", totalMs: 40 },
    { candidate: "add_3 quantize:levels=8", totalMs: Number.POSITIVE_INFINITY },
  ],
};

t.test("switches by cause, and what holds at the moment of the question", async (t) => {
  const metrics = createClientMetrics({ processMetrics: false });
  t.notMatch(await metrics.text(), /^sluice_strategy_/m, "a client that does not choose tells nothing of it");
  metrics.watchStrategy(() => figures);
  metrics.observeSwitch({ to: "client", cause: "start" });
  metrics.observeSwitch({ to: "add_3 quantize:levels=8", cause: "bandwidth" });
  metrics.observeSwitch({ to: "client", cause: "bandwidth" });
  metrics.observeSwitch({ to: "client", cause: "NOT A CAUSE" });
  const lines = (await metrics.text()).split("\n");
  for (const line of [
    'sluice_strategy_switches_total{cause="start"} 1',
    'sluice_strategy_switches_total{cause="bandwidth"} 2',
    'sluice_strategy_switches_total{cause="other"} 1',
    'sluice_strategy_active{candidate="client"} 1',
    'sluice_strategy_active{candidate="add_3 quantize:levels=8"} 0',
    'sluice_strategy_frames{candidate="client"} 10',
    "sluice_strategy_probes_total 3",
    "sluice_strategy_rescued_total 2",
    'sluice_strategy_predicted_latency_seconds{candidate="client"} 0.04',
    'sluice_strategy_load_ratio{side="client"} 1.5',
  ]) {
    t.ok(lines.includes(line), line);
  }
  t.notOk(
    lines.some((line) => line.startsWith('sluice_strategy_predicted_latency_seconds{candidate="add_3')),
    "nothing is promised of what cannot be used",
  );
});
