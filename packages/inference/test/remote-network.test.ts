/** The engine `remote` against a server of the protocol that runs a real second half. */
import {
  createSyntheticSource,
  EngineError,
  loadModel,
  openRemoteNetwork,
  withRemoteHalf,
} from "@sluice/inference";
import type { Tensor } from "@sluice/tensor";
import t, { type Test } from "tap";
import { type InferenceServer, startInferenceServer } from "./inference-server.js";

const binary = ["binary_tensor_data"];

/** A server that runs the second half of the embedded model. */
async function serveTail(t: Test, extensions: readonly string[] = binary) {
  const { network } = await loadModel("fashion");
  const split = await network.split("add_3");
  const engine = await split.tail.load({ threads: 1 });
  const server = await startInferenceServer(engine, extensions);
  t.teardown(async () => {
    await server.close();
    await engine.close();
  });
  return { network, split, local: engine, server };
}

async function tensorsAtCut(count: number): Promise<Tensor[]> {
  const tensors: Tensor[] = [];
  for await (const { image } of createSyntheticSource([64, 14, 14], { seed: 2, count })) tensors.push(image);
  return tensors;
}

const inferences = ({ requests }: InferenceServer) => requests.filter(({ path }) => path.endsWith("/infer"));

async function errorOf(promise: Promise<unknown>): Promise<EngineError> {
  const error = await promise.then(
    () => undefined,
    (cause: unknown) => cause,
  );
  if (error instanceof EngineError) return error;
  throw error ?? new Error("nothing was thrown");
}

for (const extensions of [binary, []]) {
  const how = extensions.length === 0 ? "in JSON" : "as bytes";
  t.test(`a half at a server gives what it gives here, tensors ${how}`, async (t) => {
    const { network, split, local, server } = await serveTail(t, extensions);
    const remote = await openRemoteNetwork(`${server.origin}/v2/models/tail/versions/3`);
    t.match(remote, { format: "open-inference-protocol", engine: "remote" });
    t.match(remote.inputs, [
      { name: "add_3", dtype: "float32", shape: [64, 14, 14], layout: "chw", batch: "dynamic" },
    ]);
    const both = await withRemoteHalf(network, "add_3", remote);
    const { tail } = await both.split("add_3");
    const log: string[] = [];
    const engine = await tail.load({ onLog: (line) => log.push(line) });
    t.match(log, [new RegExp(`^remote: tail at ${server.origin}, tensors ${how}$`)]);
    const samples = await tensorsAtCut(5);
    t.same(await engine.runBatch(samples), await local.runBatch(samples), "a batch in one request");
    t.equal(inferences(server).length, 1);
    t.same(await engine.run([samples[0]!]), await local.run([samples[0]!]));
    t.match(engine.counters(), { pending: 0, completed: 2, failed: 0 });
    await engine.close();
    t.match(await errorOf(engine.run([samples[0]!])), { kind: "closed" });
    t.same(
      (await both.split("add_2")).cut.shape,
      (await network.split("add_2")).cut.shape,
      "other cuts stay here",
    );
    t.ok(split.tail !== tail);
  });
}

t.test("a model by its address can be described, and not be cut", async (t) => {
  const { server } = await serveTail(t);
  const model = await loadModel(`${server.origin}/v2/models/tail`);
  t.match(model, { name: "tail", input: { shape: [64, 14, 14] } });
  t.same(await model.network.listCuts(), []);
  await t.rejects(model.network.split("x"), /the inside of a model at a server is not known/);
  const { network } = await loadModel("fashion");
  await t.rejects(
    withRemoteHalf(network, "add_1", model.network),
    /remote model takes float32 \[64, 14, 14\], cut "add_1" is/,
  );
  await t.rejects(withRemoteHalf(network, "", model.network), /the model's input is float32 \[1, 28, 28\]/);
});

t.test("what a server refuses is told in its words", async (t) => {
  const { server } = await serveTail(t);
  const missing = await errorOf(openRemoteNetwork(`${server.origin}/v2/models/nothing`));
  t.match(missing, { kind: "load-failed", message: /unknown model: .*nothing.*HTTP 404/ });
  const network = await openRemoteNetwork(`${server.origin}/v2/models/tail`);
  server.isReady = false;
  t.match(await errorOf(network.load()), {
    kind: "load-failed",
    message: /is not ready \(the server lives\)/,
  });
  server.isReady = true;
  const engine = await network.load();
  const [sample] = await tensorsAtCut(1);
  server.faults.push({ status: 400 });
  t.match(await errorOf(engine.run([sample!])), { kind: "run-failed", message: /fault 400 \(HTTP 400\)/ });
  t.equal(inferences(server).length, 1, "a mistake is not made again");
  server.faults.push(() => Buffer.from('{"outputs":[]}'));
  t.match(await errorOf(engine.run([sample!])), {
    kind: "run-failed",
    message: /not of the protocol: output "logits"/,
  });
  server.faults.push({ status: 307 });
  t.match(await errorOf(engine.run([sample!])), { kind: "run-failed", message: /HTTP 307/ });
  server.faults.push("no-http");
  t.match(await errorOf(engine.run([sample!])), { kind: "unreachable", message: /is not understood: / });
  await engine.close();
});

t.test("an answer that is not what the server has announced is refused", async (t) => {
  const { server } = await serveTail(t, []);
  const engine = await (await openRemoteNetwork(`${server.origin}/v2/models/tail`)).load();
  const [sample] = await tensorsAtCut(1);
  const logits = { name: "logits", datatype: "FP32", shape: [1, 10], data: Array(10).fill(0) };
  const answers: [object, RegExp][] = [
    [{ ...logits, shape: [1, 2, 5] }, /float32 \[1, 2, 5\], the server's metadata say float32 \[\?, 10\]/],
    [{ ...logits, shape: [1, 9], data: Array(9).fill(0) }, /is float32 \[1, 9\]/],
    [{ ...logits, datatype: "INT32" }, /is int32 \[1, 10\]/],
  ];
  for (const [output, message] of answers) {
    server.faults.push(() => Buffer.from(JSON.stringify({ outputs: [output] })));
    t.match(await errorOf(engine.run([sample!])), { kind: "run-failed", message });
  }
  server.faults.push(() => Buffer.from(JSON.stringify({ outputs: [logits] })));
  t.same((await engine.run([sample!]))[0]!.shape, [10]);
  await engine.close();
});

t.test("a try that failed is repeated: an answer 503, a connection that broke", async (t) => {
  const { server, local } = await serveTail(t);
  const engine = await (await openRemoteNetwork(`${server.origin}/v2/models/tail`)).load();
  const [sample] = await tensorsAtCut(1);
  server.faults.push({ status: 503, retryAfter: "0" }, "hang-up");
  t.same(await engine.run([sample!]), await local.run([sample!]));
  t.equal(inferences(server).length, 3);
  server.faults.push("hang-up", "hang-up", "hang-up");
  t.match(await errorOf(engine.run([sample!])), { kind: "unreachable" });
  t.equal(inferences(server).length, 6, "three tries and no more");
  await engine.close();
});

t.test("a server that is silent is given up at the deadline", async (t) => {
  const { server } = await serveTail(t);
  const network = await openRemoteNetwork(`${server.origin}/v2/models/tail`, { timeoutMs: 60_000 });
  const engine = await network.load();
  const [sample] = await tensorsAtCut(1);
  server.faults.push("silence");
  t.match(await errorOf(engine.run([sample!], { timeoutMs: 100 })), {
    kind: "timeout",
    message: /within 100 ms/,
  });
  server.faults.push({ status: 503, retryAfter: "30" });
  t.match(await errorOf(engine.run([sample!], { timeoutMs: 200 })), { kind: "run-failed", message: /503/ });
  await engine.close();
});

t.test("what waits is bounded, and so is what is asked for at once", async (t) => {
  const { server } = await serveTail(t);
  const network = await openRemoteNetwork(`${server.origin}/v2/models/tail`, { maxConnections: 2 });
  const engine = await network.load({ maxPendingRuns: 6 });
  const [sample] = await tensorsAtCut(1);
  const runs = Array.from({ length: 8 }, () => engine.run([sample!]));
  const results = await Promise.allSettled(runs);
  t.same(
    results.map(({ status }) => status),
    [...Array(6).fill("fulfilled"), "rejected", "rejected"],
  );
  t.match(results[7], { reason: { kind: "queue-full", message: /maxPendingRuns: 6/ } });
  t.ok(server.mostAtOnce() <= 2, `${server.mostAtOnce()} at once`);
  await engine.close();
});

t.test("options and addresses that cannot be", async (t) => {
  const address = "http://127.0.0.1:1/v2/models/m";
  t.match(await errorOf(openRemoteNetwork(address, { timeoutMs: 0 })), {
    message: /timeoutMs: must be an integer/,
  });
  t.match(await errorOf(openRemoteNetwork(address, { maxRetries: 0 })), { kind: "unreachable" });
  await t.rejects(loadModel("http://127.0.0.1:1/nothing"), /address of a model is http\(s\)/);
});
