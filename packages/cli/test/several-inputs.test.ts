import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { loadModel } from "@sluice/inference";
import { createTensor, type OutputTensor, packTensors, type Tensor } from "@sluice/tensor";
import t from "tap";
import { encodeNpy } from "#cli/npy-file.js";
import { runHere } from "./run-here.js";
import { startServer } from "./start-server.js";
import { severalInputsModels, tinyModelBytes } from "./tiny-models.js";

t.setTimeout(240_000);

const { imageAndIdsModel, maskedModel, twoBranchModel } = severalInputsModels;

/** A file for every input, of numbers that it can take. */
async function writeInputs(
  directory: string,
  name: string,
  tensors: Readonly<Record<string, Tensor>>,
): Promise<string[]> {
  const sources: string[] = [];
  for (const [input, tensor] of Object.entries(tensors)) {
    const path = join(directory, `${name}-${input}.npy`);
    await writeFile(path, encodeNpy(tensor as OutputTensor));
    sources.push("--source", `${input}=${path}`);
  }
  return sources;
}

function floats(shape: readonly number[]): Tensor {
  const tensor = createTensor("float32", shape);
  for (let i = 0; i < tensor.data.length; i++) tensor.data[i] = Math.sin(i);
  return tensor;
}

t.test(
  "over QUIC, at cuts where several tensors cross and as a whole, the answer is the network's own",
  async (t) => {
    const directory = t.testdir();
    const cases = [
      [
        "ids",
        imageAndIdsModel(),
        ["relu", "seen+words", "joined"],
        { image: floats([3, 8, 8]), ids: createTensor("int32", [5], Int32Array.of(3, 1, 4, 1, 5)) },
      ],
      ["one", tinyModelBytes(() => {}), ["doubled+relu_1"], { input: floats([3, 8, 8]) }],
      [
        "branches",
        twoBranchModel(),
        ["left_1", "left_2+right_1", "sum"],
        { left: floats([4, 4]), right: floats([4, 4]) },
      ],
      [
        "masked",
        maskedModel(),
        ["first", "kept_2"],
        { x: floats([8]), mask: createTensor("uint8", [8], Uint8Array.of(1, 0, 1, 1, 0, 0, 1, 1)) },
      ],
    ] as const;
    const isDone = new Set<string>();
    for (const [name, bytes] of cases) await writeFile(join(directory, `${name}.onnx`), bytes);
    const [, { url, certHash }] = await startServer(t, ["--models", directory, "--max-loaded", "20"]);
    for (const [name, , splits, inputs] of cases) {
      const path = join(directory, `${name}.onnx`);
      const model = await loadModel(path);
      const engine = await model.network.load({ threads: 1 });
      const [expected] = await engine.run([packTensors(Object.values(inputs))]);
      await engine.close();
      const sources = await writeInputs(directory, name, inputs);
      const largest = Math.max(...[...(expected!.data as Float32Array)].map(Math.abs));
      for (const split of [...splits, "", splits[0]]) {
        // At last by the codec of floats, under which whole numbers stay as they are: another word is another answer.
        const isRounded = isDone.has(`${name} ${split}`);
        isDone.add(`${name} ${split}`);
        const out = join(directory, `${name}-${splits.indexOf(split as never)}-${isRounded}`);
        const run = await runHere([
          ...["stream", url, "--cert-hash", certHash, "--model", path, ...sources, "--save-outputs", out],
          ...(split === "" ? ["--strategy", "server"] : ["--split", split]),
          ...(isRounded ? [] : ["--codec", "raw"]),
          ...["--frames", "3", "--fps", "20", "--deadline-ms", "20000", "--mode", "reliable", "--json"],
        ]);
        t.equal(run.code, 0, run.stderr);
        const codec = isRounded ? /^quantize/ : "raw";
        t.match(JSON.parse(run.stdout), { offered: 3, delivered: 3, codec }, `${name} ${split}`);
        const files = await readdir(out);
        t.equal(files.length, 3);
        const saved = await readFile(join(out, files[0]!));
        const got = new Float32Array(Uint8Array.from(saved.subarray(-expected!.data.byteLength)).buffer);
        const difference = Math.max(...got.map((number, i) => Math.abs(number - expected!.data[i]!)));
        const most = isRounded ? 0.1 * largest : 1e-5;
        t.ok(difference <= most, `${name} ${split}: ${difference}, at most ${most}`);
      }
    }
    const auto = await runHere([
      ...[
        "stream",
        url,
        "--cert-hash",
        certHash,
        "--model",
        join(directory, "ids.onnx"),
        "--strategy",
        "auto",
      ],
      ...["--split", "relu,seen+words", "--frames", "30", "--deadline-ms", "20000", "--json"],
    ]);
    t.equal(auto.code, 0, auto.stderr);
    const { delivered, candidates } = JSON.parse(auto.stdout);
    t.ok(delivered > 0);
    t.same(
      candidates.map(({ name }: { name: string }) => name),
      [
        "client",
        "server raw",
        ...["relu", "seen+words"].flatMap((split) => [
          `${split} quantize:levels=32,clip=6,per=tensor`,
          `${split} quantize:levels=8,clip=3,per=tensor | entropy`,
        ]),
      ],
    );
    const wrong = await runHere([
      ...[
        "stream",
        url,
        "--cert-hash",
        certHash,
        "--model",
        join(directory, "ids.onnx"),
        "--strategy",
        "server",
      ],
      ...["--source", "nothing=3", "--frames", "1"],
    ]);
    t.not(wrong.code, 0);
  },
);

t.test("profile measures such a network at all its cuts, on noise where nothing is given", async (t) => {
  const path = join(t.testdir({ "ids.onnx": Buffer.from(imageAndIdsModel()) }), "ids.onnx");
  const few = ["--runs", "2", "--images", "2", "--threads", "1"];
  const { code, stdout, stderr } = await runHere(["profile", path, ...few, "--json"]);
  t.equal(code, 0, stderr);
  const { options, layers, skipped } = JSON.parse(stdout);
  t.same(skipped, []);
  const told = options.map(
    ({ strategy, split, codec }: Record<string, string>) => `${strategy} ${split} ${codec}`,
  );
  t.same(told.slice(0, 3), ["client  ", "server  raw", "shared conv quantize:levels=32,clip=6,per=tensor"]);
  const [conv] = JSON.parse(stdout).layers;
  t.ok(
    conv.compressedBytes < conv.uncompressedBytes / 5,
    `${conv.compressedBytes} of ${conv.uncompressedBytes}`,
  );
  t.equal(told.at(-1), "shared joined quantize:levels=32,clip=6,per=tensor");
  t.same(layers[4].shapes, [[4], [5, 4]]);
  t.ok(
    layers.every(({ distribution }: { distribution: { deviation: number } }) => distribution.deviation < 10),
    "of floats, not of their bits",
  );
  const table = await runHere(["profile", path, ...few, "--split", "seen+found", "--source", "ids=3"]);
  t.match(table.stdout, /\nseen\+found +4 \+ 5x4 /);
});

t.test("inspect tells what crosses", async (t) => {
  const files = { "ids.onnx": imageAndIdsModel(), "tiny.onnx": tinyModelBytes(() => {}) };
  const directory = t.testdir(
    Object.fromEntries(Object.entries(files).map(([name, bytes]) => [name, Buffer.from(bytes)])),
  );
  const path = join(directory, "ids.onnx");
  const { stdout } = await runHere(["inspect", path]);
  t.match(stdout, /^relu +Relu +4x8x8 \+ 5 .* float32 \+ int32, with "ids"$/m);
  t.match(stdout, /^seen\+words +ReduceMean +4 \+ 4 /m);
  t.match(stdout, /\ncoded: quantize:.*, whole numbers raw, in slices of at most/);
  const named = await runHere([
    "inspect",
    join(directory, "tiny.onnx"),
    "--split",
    "doubled+relu_1",
    "--json",
  ]);
  t.match(JSON.parse(named.stdout).cuts, [
    { name: "doubled+relu_1", elements: 512, codec: "quantize:levels=32,clip=6,per=tensor", codedBytes: 340 },
  ]);
  t.match(
    (await runHere(["calibrate", path, "--split", "joined", "--images", "."])).stderr,
    /has 2 inputs \("image", "ids"\), and images feed one/,
  );
});

t.test("a network that finds nothing runs on the client, too: an empty output has no class", async (t) => {
  // Zeros have no places of what is not zero.
  const bytes = tinyModelBytes(({ graph }) => {
    graph.node = [
      { op_type: "Relu", input: ["input"], output: ["relu"] },
      { op_type: "NonZero", input: ["relu"], output: ["logits"] },
    ];
    graph.output[0]!.type!.tensor_type = {
      elem_type: 7,
      shape: { dim: [{ dim_value: 4 }, { dim_param: "found" }] },
    };
  });
  const path = join(t.testdir({ "nothing.onnx": Buffer.from(bytes) }), "nothing.onnx");
  const { code, stdout, stderr } = await runHere([
    ...[
      "stream",
      "https://127.0.0.1:9",
      "--insecure",
      "--model",
      path,
      "--strategy",
      "client",
      "--source",
      "0",
    ],
    ...["--frames", "2", "--deadline-ms", "10000", "--json"],
  ]);
  t.equal(code, 0, stderr);
  t.match(JSON.parse(stdout), { offered: 2, expired: 0 });
});
