/** Whole maps as results, over real QUIC: as the network computes them, bit for bit. */
import { readdir, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { createClient, readOutputs } from "@sluice/client";
import { connect, listen } from "@sluice/http3";
import { loadModel } from "@sluice/inference";
import { createServer } from "@sluice/server";
import { createRelay } from "@sluice/simnet";
import { createTensor, isTensor, type Tensor, tensorBytes } from "@sluice/tensor";
import t, { type Test } from "tap";
import { loadServedHalf } from "#cli/served-network.js";
import { runSluice } from "./run-sluice.js";
import { startServer } from "./start-server.js";
import { tinyModelBytes } from "./tiny-models.js";

const side = 96;
const shape = [3, side, side];

/** [N,3,96,96] -> two maps of [N,4,96,96], 147 kB each, and logits [N,5]. */
async function writeMapModel(t: Test): Promise<string> {
  const path = join(t.testdir({}), "maps.onnx");
  const bytes = tinyModelBytes(({ graph }) => {
    const dims = graph.input[0]!.type!.tensor_type.shape!.dim;
    dims[2] = { dim_value: side };
    dims[3] = { dim_value: side };
    const [logits] = graph.output;
    const map = (name: string) => ({
      name,
      type: {
        tensor_type: {
          elem_type: 1,
          shape: { dim: [{ dim_param: "N" }, ...[4, side, side].map((dim_value) => ({ dim_value }))] },
        },
      },
    });
    graph.output = [map("add_1"), logits!, map("scaled")];
  });
  await writeFile(path, bytes);
  return path;
}

function isEqual(a: Tensor, b: Tensor): boolean {
  const isLike = a.dtype === b.dtype && `${a.shape}` === `${b.shape}`;
  return isLike && Buffer.compare(tensorBytes(a), tensorBytes(b)) === 0;
}

t.test("through a network that loses packets", async (t) => {
  const path = await writeMapModel(t);
  const model = await loadModel(path);
  const half = await loadServedHalf(model, "", { threads: 1 });
  const local = await model.network.load({ threads: 1 });
  const transport = await listen({ port: 0 });
  const server = createServer({ transport, openServedStream: async (request) => half.serve(request) });
  const lossy = { delayMs: 5, loss: 0.02 };
  const relay = await createRelay({
    listen: { host: "127.0.0.1", port: 0 },
    target: { host: "127.0.0.1", port: Number(new URL(transport.url).port) },
    ...{ up: lossy, down: lossy, seed: 3 },
  });
  const url = `https://127.0.0.1:${relay.address.port}`;
  const client = await createClient(await connect(url, { certificateHash: transport.certificateHash! }));
  const spec = { dtype: "float32", shape, layout: "chw" } as const;
  for (const resultFormat of ["messagepack", "json"] as const) {
    const stream = await client.openStream({
      ...{ model: "maps", spec, codec: "raw", resultFormat, deadlineMs: 30_000 },
      // What was lost on the way up would be concealed, and give another result.
      mode: "reliable",
    });
    const inputs = Array.from({ length: 4 }, (_, n) => {
      const values = Float32Array.from({ length: 3 * side * side }, (_, i) => Math.sin(i * 0.37 + n));
      return createTensor("float32", shape, values, "chw");
    });
    const outcomes = await Promise.all(inputs.map((input) => stream.send(input)));
    for (const [i, outcome] of outcomes.entries()) {
      if (outcome.status !== "delivered") return t.fail(`frame ${i}: ${outcome.status}`);
      const expected = await local.run([inputs[i]!]);
      const outputs = readOutputs(outcome.answer);
      t.same(
        outputs.map(({ name }) => name),
        ["add_1", "logits", "scaled"],
      );
      for (const [k, { name, tensor }] of outputs.entries())
        t.ok(isTensor(tensor) && isEqual(tensor, expected[k]!), `${resultFormat}, frame ${i}: ${name}`);
    }
    stream.close();
  }
  client.close();
  await server.close();
  await relay.close();
  await Promise.all([half.close(), local.close()]);
});

t.test("by the command line, and refused where the operator allows less", async (t) => {
  const path = await writeMapModel(t);
  const [, { url, certHash }] = await startServer(t, ["--model", `maps=${path}`, "--json"]);
  const saved = join(dirname(path), "outputs");
  const stream = (to: string, hash: string, ...more: string[]) =>
    runSluice([
      ...["stream", to, "--cert-hash", hash, "--model", path, "--strategy", "server", "--json"],
      ...["--source", "synthetic:3x96x96", "--frames", "5", "--fps", "5", "--deadline-ms", "20000"],
      ...more,
    ]);
  const done = await stream(url, certHash, "--save-outputs", saved);
  const shapes = { add_1: [4, side, side], logits: [5], scaled: [4, side, side] };
  const outputs = Object.entries(shapes).map(([name, shape]) => ({ name, dtype: "float32", shape }));
  t.match(JSON.parse(done.stdout), { offered: 5, delivered: 5, outputs }, done.stderr);
  const files = (await readdir(saved)).sort();
  t.equal(files.length, 15);
  t.same(files.slice(0, 4), [
    "000000-0-add_1.npy",
    "000000-1-logits.npy",
    "000000-2-scaled.npy",
    "000001-0-add_1.npy",
  ]);
  t.equal((await stat(join(saved, files[0]!))).size, 128 + 4 * 4 * side * side);
  const local = await stream(url, certHash, "--save-outputs", saved, "--strategy", "client");
  t.match(local, { code: 2, stderr: /--save-outputs: takes --strategy shared or server/ });
  const [, limited] = await startServer(t, ["--model", `maps=${path}`, "--result-limit", "100000", "--json"]);
  const refused = await stream(limited.url, limited.certHash);
  t.not(refused.code, 0);
  t.match(refused.stderr, /outputs take \d+ bytes, a result of this stream holds 100000 \(max_result_bytes/);
});
