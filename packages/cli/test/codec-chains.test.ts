/** Chains of stages from `sluice stream` to `sluice serve`. */
import t from "tap";
import { runSluice } from "./run-sluice.js";
import { startServer } from "./start-server.js";

t.setTimeout(120_000);

t.test("chains of stages over a real server", async (t) => {
  const [, { url, certHash }] = await startServer(t, ["--model", "fashion"]);
  for (const codec of [
    "quantize:levels=8,clip=3 | tile | jpeg:quality=40",
    "quantize:levels=8,clip=3 | entropy",
  ]) {
    const run = await runSluice([
      ...["stream", url, "--cert-hash", certHash, "--model", "fashion", "--codec", codec],
      ...["--frames", "12", "--fps", "40", "--deadline-ms", "30000", "--json"],
    ]);
    t.equal(run.code, 0, run.stderr);
    const summary = JSON.parse(run.stdout);
    // How many of them a busy machine lets through is another matter; those are as good as any.
    const { delivered, accuracy, bytesSent } = summary;
    t.ok(delivered > 0, codec);
    t.ok(delivered * (1 - accuracy.top1) <= 6, `${codec}: ${accuracy.top1} of ${delivered}`);
    t.ok(bytesSent < 12 * 6000, `${bytesSent} bytes`);
  }
});

t.test("bytes without loss, each tensor on a stream of its own", async (t) => {
  const [, { url, certHash }] = await startServer(t, ["--model", "sink"]);
  const run = await runSluice([
    ...["stream", url, "--cert-hash", certHash, "--model", "sink", "--source", "synthetic:8x8x16"],
    ...["--codec", "integers | entropy", "--mode", "stream"],
    ...["--frames", "10", "--fps", "40", "--deadline-ms", "30000", "--json"],
  ]);
  t.equal(run.code, 0, run.stderr);
  const summary = JSON.parse(run.stdout);
  t.match(summary, { offered: 10, corrupt: 0, mode: "stream" });
  t.ok(summary.delivered > 0);
});
