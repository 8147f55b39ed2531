import { join } from "node:path";
import { createSyntheticSource, loadModel, openRemoteNetwork } from "@sluice/inference";
import t from "tap";
import { runSluice } from "./run-sluice.js";
import { startServer } from "./start-server.js";

/** The protocol's server of the tests of `inference`; typed here as far as it is used. */
interface InferenceServer {
  readonly origin: string;
  readonly requests: readonly { readonly path: string }[];
  close(): Promise<void>;
}
const module = new URL("../../../inference/dist/test/inference-server.js", import.meta.url).href;
const { startInferenceServer } = (await import(module)) as {
  startInferenceServer(engine: unknown, extensions: readonly string[]): Promise<InferenceServer>;
};

t.test(
  "the halves are models of their own, and the tail may run at a server of another protocol",
  async (t) => {
    const out = join(t.testdir(), "halves");
    const { code, stdout } = await runSluice([
      "split",
      "fashion",
      "--split",
      "add_3",
      "--out",
      out,
      "--json",
    ]);
    t.equal(code, 0);
    const report = JSON.parse(stdout);
    t.match(report, {
      event: "split",
      model: "fashion",
      split: "add_3",
      shape: [64, 14, 14],
      dtype: "float32",
    });
    const [whole, head, tail] = await Promise.all(
      ["fashion", report.head, report.tail].map(async (path) => (await loadModel(path)).network.load()),
    );
    for await (const { image } of createSyntheticSource([1, 28, 28], { seed: 8, count: 2 })) {
      const [expected] = await whole!.run([image]);
      const [actual] = await tail!.run(await head!.run([image]));
      const difference = Math.max(...expected!.data.map((value, i) => Math.abs(value - actual!.data[i]!)));
      t.ok(difference <= 1e-5, String(difference));
    }

    const inference = await startInferenceServer(tail, ["binary_tensor_data"]);
    t.teardown(() => inference.close());
    const address = `${inference.origin}/v2/models/tail`;
    t.match(await openRemoteNetwork(address), { inputs: [{ shape: [64, 14, 14] }] });
    const [, { url, certHash }] = await startServer(t, ["--remote", `add_3=${address}`]);
    const run = await runSluice([
      ...[
        "stream",
        url,
        "--cert-hash",
        certHash,
        "--frames",
        "20",
        "--fps",
        "10",
        "--deadline-ms",
        "20000",
        "--json",
      ],
    ]);
    t.equal(run.code, 0, run.stderr);
    const summary = JSON.parse(run.stdout.trim().split("\n").at(-1)!);
    t.equal(summary.delivered, 20);
    t.ok(summary.accuracy.top1 > 0.6, `top-1 ${summary.accuracy.top1}`);
    t.ok(inference.requests.filter(({ path }) => path === "/v2/models/tail/infer").length > 0);
    await Promise.all([whole, head, tail].map((engine) => engine!.close()));
  },
);

t.test("what cannot be written, and addresses that cannot be", async (t) => {
  t.match(await runSluice(["split", "fashion", "--split", "conv9"]), { code: 5, stderr: /cut "conv9"/ });
  t.match(await runSluice(["serve", "--remote", "triton:8000"]), {
    code: 2,
    stderr: /--remote: expected \[TENSOR=\]http/,
  });
  const unreachable = [
    "serve",
    "--remote",
    "add_3=http://127.0.0.1:1/v2/models/m",
    "--listen",
    "127.0.0.1:0",
  ];
  t.match(await runSluice(unreachable), { code: 3, stderr: /http:\/\/127\.0\.0\.1:1 cannot be reached/ });
});
