/** What operators are promised of SIGTERM: no frame is lost that was under way, over a real network. */
import t from "tap";
import { startSluice } from "./run-sluice.js";
import { startServer } from "./start-server.js";

t.setTimeout(120_000);

t.test("a server that is told to end answers every frame that is under way to it", async (t) => {
  const [server, { url, certHash, metricsUrl }] = await startServer(t, ["--model", "sink", "--json"]);
  // Frames are under way for a quarter of a second, so that some come when the server knows of its end and the client does not.
  const relay = startSluice([
    ...["relay", "--listen", "127.0.0.1:0", "--target", new URL(url).host, "--delay", "250ms", "--json"],
  ]);
  t.teardown(() => relay.kill("SIGKILL"));
  const { address } = JSON.parse(await relay.line((line) => line.startsWith("{"))) as { address: string };
  const stream = startSluice([
    ...["stream", `https://${address}`, "--cert-hash", certHash, "--model", "sink"],
    ...[
      "--source",
      "synthetic:8x8x16",
      "--fps",
      "30",
      "--duration",
      "100",
      "--deadline-ms",
      "20000",
      "--json",
    ],
  ]);
  t.teardown(() => stream.kill("SIGKILL"));
  const operations = new URL(metricsUrl).origin;
  const answered = async () => {
    const text = await (await fetch(`${operations}/metrics`)).text();
    return Number(/sluice_frames_total\{outcome="delivered",reason="none"\} (\d+)/.exec(text)?.[1] ?? 0);
  };
  while ((await answered()) < 20) await new Promise((resolve) => setTimeout(resolve, 50));
  server.kill("SIGTERM");
  await server.errorLine((line) => line.includes("ending: no new frames are taken"));
  const ready = await fetch(`${operations}/readyz`).then(
    ({ status }) => status,
    () => "gone",
  );
  t.ok(ready === 503 || ready === "gone", `balancers look for another one: ${ready}`);
  t.equal((await server.ended).code, 0);
  await stream.errorLine((line) => line.startsWith("no session"));
  stream.kill("SIGINT");
  const summary = JSON.parse((await stream.ended).stdout);
  t.comment(summary);
  t.ok(summary.delivered > 20, "frames came back after the signal as well");
  t.equal(summary.expired, 0, "none of them is lost");
  t.equal(summary.delivered, summary.admitted);
});
