import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { deflateRawSync } from "node:zlib";
import {
  bundledNetwork,
  createOnnxNetwork,
  createSeededRandom,
  findCut,
  loadModel,
  type Network,
  openSources,
  specOf,
} from "@sluice/inference";
import {
  bundleSpec,
  convertTensor,
  createTensor,
  packTensors,
  specOfTensor,
  type Tensor,
} from "@sluice/tensor";
import t from "tap";
import { imageAndIdsModel, maskedModel, twoBranchModel } from "./several-inputs-models.js";
import { tinyModelBytes } from "./tiny-model.js";

/** For each input numbers that it can take: floats by chance, of whole numbers 0 to 9, of bool 0 and 1. */
function inputsOf(network: Network, seed: number): Tensor[] {
  const random = createSeededRandom(seed);
  return network.inputs.map((info) => {
    const { dtype, shape, layout } = specOf(info);
    const tensor = createTensor(dtype, shape, undefined, layout);
    const most = { uint8: 2, int32: 10 }[dtype as string];
    for (let i = 0; i < tensor.data.length; i++)
      tensor.data[i] = most ? Math.floor(most * random()) : 2 * random() - 1;
    return tensor;
  });
}

function largestDifference(a: readonly Tensor[], b: readonly Tensor[]): number {
  return Math.max(
    ...a.flatMap((tensor, n) => {
      const [ours, theirs] = [convertTensor(tensor, "float32").data, convertTensor(b[n]!, "float32").data];
      return [...ours].map((number, i) => Math.abs(number - theirs[i]!));
    }),
  );
}

const models = [
  ["image and ids", imageAndIdsModel()],
  ["two branches", twoBranchModel()],
  ["a mask behind every cut", maskedModel()],
] as const;

/** Both halves one after the other, as they are and as bundles. */
async function runHalves(
  network: Network,
  name: string,
  inputs: readonly Tensor[],
  graphOptimization: "all" | "disabled",
) {
  const raw = await network.split(name);
  const bundled = await bundledNetwork(network).split(name);
  const engines = await Promise.all(
    [raw.head, raw.tail, bundled.head, bundled.tail].map((half) =>
      half.load({ threads: 1, graphOptimization }),
    ),
  );
  const [head, tail, packedHead, packedTail] = engines as [
    (typeof engines)[0],
    (typeof engines)[0],
    (typeof engines)[0],
    (typeof engines)[0],
  ];
  const byName = new Map(network.inputs.map((info, i) => [info.name, inputs[i]!]));
  const made = await head.run(head.inputs.map((info) => byName.get(info.name)!));
  for (const [i, info] of head.outputs.entries()) byName.set(info.name, made[i]!);
  const outputs = await tail.run(raw.crossing.map((info) => byName.get(info.name)!));
  const packed = await packedTail.run(await packedHead.run([packTensors(inputs)]));
  await Promise.all(engines.map((engine) => engine.close()));
  return { outputs, packed, crossing: raw.crossing };
}

for (const [what, bytes] of models) {
  t.test(`${what}: at every cut the halves are the whole`, async (t) => {
    const network = createOnnxNetwork(bytes);
    const cuts = await network.listCuts();
    t.ok(cuts.length >= 4);
    const inputs = inputsOf(network, 3);
    for (const optimization of ["disabled", "all"] as const) {
      const whole = await network.load({ threads: 1, graphOptimization: optimization });
      const expected = await whole.run(inputs);
      const bundled = await bundledNetwork(network).load({ threads: 1, graphOptimization: optimization });
      t.same(await bundled.run([packTensors(inputs)]), expected);
      t.same(await bundled.runBatch([packTensors(inputs), packTensors(inputs)]), [expected, expected]);
      for (const cut of cuts) {
        const { outputs, packed, crossing } = await runHalves(network, cut.name, inputs, optimization);
        if (optimization === "disabled") t.same(outputs, expected, cut.name);
        t.ok(largestDifference(outputs, expected) <= 1e-5, cut.name);
        t.same(packed, outputs, `${cut.name}, as bundles`);
        t.same(bundleSpec(crossing.map((info) => specOf(info))), specOfTensor(cut));
      }
      await Promise.all([whole.close(), bundled.close()]);
    }
  });
}

t.test("what crosses is listed: several tensors, and inputs that enter behind the cut", async (t) => {
  const told = async (bytes: Uint8Array) =>
    (await createOnnxNetwork(bytes).listCuts()).map(
      ({ name, crossing, dtype, shape }) =>
        `${name} ${dtype} [${shape}]${crossing ? `: ${crossing.map((tensor) => tensor.name)}` : ""}`,
    );
  t.same(await told(imageAndIdsModel()), [
    "conv int32 [261]: conv,ids",
    "relu int32 [261]: relu,ids",
    "pooled int32 [9]: pooled,ids",
    "seen int32 [9]: seen,ids",
    "seen+found float32 [24]: seen,found",
    "seen+words float32 [8]: seen,words",
    "joined float32 [4]",
  ]);
  t.same((await told(maskedModel())).slice(0, 2), [
    "first uint8 [40]: first,mask",
    "kept_1 uint8 [40]: kept_1,mask",
  ]);
  const illegal = await createOnnxNetwork(imageAndIdsModel()).listIllegalCuts();
  t.same(illegal, []);
});

t.test("of a network with one input several tensors cross where they are named, as a bundle", async (t) => {
  const network = createOnnxNetwork(tinyModelBytes());
  const bundled = bundledNetwork(network);
  const inputs = inputsOf(network, 4);
  const run = async (half: Network, given: readonly Tensor[]) => {
    const engine = await half.load({ threads: 1, graphOptimization: "disabled" });
    const outputs = await engine.run(given);
    await engine.close();
    return outputs;
  };
  const expected = await run(network, inputs);
  t.same(await run(bundled, inputs), expected);
  const cut = await findCut(bundled, "doubled+relu_1");
  t.notOk((await bundled.listCuts()).some(({ name }) => name === cut.name));
  t.match(cut, { dtype: "float32", shape: [512], elements: 512, bytes: 2048 });
  t.same(
    cut.parts?.map(({ shape }) => shape),
    [
      [4, 8, 8],
      [4, 8, 8],
    ],
  );
  const listed = await findCut(bundled, "relu_1");
  t.ok(cut.workShare >= listed.workShare && cut.nodeShare > listed.nodeShare && cut.workShare < 1);
  const { head, tail } = await bundled.split(cut.name);
  const crossed = await run(head, inputs);
  t.same(specOfTensor(crossed[0]!), specOfTensor(cut));
  t.same(await run(tail, crossed), expected);
  await t.rejects(findCut(bundled, "doubled"), { kind: "illegal-cut", message: /^cut "doubled"/ });
});

t.test("a cut that is none is told with what goes around it", async (t) => {
  const network = createOnnxNetwork(imageAndIdsModel());
  // Ids cross as they are beside what comes of the image, and the other way round.
  t.same(
    (await network.split("words")).crossing.map(({ name }) => name),
    ["words", "image"],
  );
  const twice = createOnnxNetwork(twoBranchModel());
  await t.rejects(twice.split("left_1+left_1"), { kind: "illegal-cut", message: /names "left_1" twice/ });
  await t.rejects(twice.split("left_1+left_2"), {
    kind: "illegal-cut",
    message: /no output depends on "left_1"/,
  });
  await t.rejects(twice.split("left_1+nothing"), {
    kind: "unknown-name",
    message: /cut "nothing": the model has no tensor/,
  });
  await t.rejects(twice.split("left_1+out"), {
    kind: "illegal-cut",
    message: /cut "out": is the model's output/,
  });
});

t.test("sources: by the input's name, arrays of NumPy, numbers, and noise for the rest", async (t) => {
  const directory = t.testdir();
  const path = join(directory, "net.onnx");
  await writeFile(path, imageAndIdsModel());
  const model = await loadModel(path);
  t.match(model.input, { name: "inputs", dtype: "int32", shape: [197], layout: "any", batch: "one" });
  t.same(
    model.input.parts?.map(({ shape }) => shape),
    [[3, 8, 8], [5]],
  );
  const take = async (references: readonly string[], count: number) => {
    const source = await openSources(references, model);
    const frames: Tensor[] = [];
    for await (const { image } of source) if (frames.push(image) === count) break;
    return { frames: frames.map(({ data }) => [...data.slice(192)]), count: source.count };
  };
  const ids = join(directory, "ids.npy");
  await writeFile(
    ids,
    npy(
      "<i8",
      "2, 5",
      BigInt64Array.from({ length: 10 }, (_, i) => BigInt(i)),
    ),
  );
  t.same(await take([`ids=${ids}`], 9), {
    frames: [
      [0, 1, 2, 3, 4],
      [5, 6, 7, 8, 9],
    ],
    count: 2,
  });
  t.same(await take(["ids=7", "synthetic"], 2), {
    frames: [
      [7, 7, 7, 7, 7],
      [7, 7, 7, 7, 7],
    ],
    count: Infinity,
  });
  await t.rejects(take(["ids=0.5"], 1), {
    message: /source "0.5": 0.5 is no int32, which input "ids" takes/,
  });
  await t.rejects(take(["ids=1", "ids=2"], 1), { message: /input "ids" has one already/ });
  await writeFile(ids, npy("<i8", "5,", BigInt64Array.of(1n, 2n, 3n, 4n, 1n << 40n)));
  await t.rejects(take([`ids=${ids}`], 1), { message: /1099511627776 is no int32/ });
  await writeFile(ids, npy("<i4", "2, 4", new Int32Array(8)));
  await t.rejects(take([`ids=${ids}`], 1), {
    message: /has shape \[2, 4\], input "ids" takes \[5\], or several as \[N, 5\]/,
  });
  const bin = join(directory, "ids.bin");
  await writeFile(bin, new Uint8Array(Int32Array.of(1, 2, 3, 4, 5).buffer));
  t.same(await take([`ids=${bin}`], 2), {
    frames: [
      [1, 2, 3, 4, 5],
      [1, 2, 3, 4, 5],
    ],
    count: Infinity,
  });
});

/** A ZIP archive of files, packed or not, as NumPy's savez writes them. */
function zip(files: Readonly<Record<string, Buffer>>, packed: boolean): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const [name, bytes] of Object.entries(files)) {
    const data = packed ? deflateRawSync(bytes) : bytes;
    const common = Buffer.alloc(26);
    common.writeUInt16LE(packed ? 8 : 0, 4);
    common.writeUInt32LE(data.length, 14);
    common.writeUInt32LE(bytes.length, 18);
    common.writeUInt16LE(name.length, 22);
    const place = Buffer.alloc(14);
    place.writeUInt32LE(offset, 10);
    directory.push(Buffer.from("PK\x01\x02\x14\x00"), common, place, Buffer.from(name));
    parts.push(Buffer.from("PK\x03\x04"), common, Buffer.from(name), data);
    offset += 4 + common.length + name.length + data.length;
  }
  const entries = Buffer.concat(directory);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(Object.keys(files).length, 6);
  end.writeUInt32LE(entries.length, 8);
  end.writeUInt32LE(offset, 12);
  return Buffer.concat([...parts, entries, Buffer.from("PK\x05\x06"), end]);
}

function npy(descr: string, shape: string, data: ArrayBufferView): Buffer {
  const text = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${shape}), }`.padEnd(117);
  const head = Buffer.from("\x93NUMPY\x01\x00v\x00", "latin1");
  return Buffer.concat([head, Buffer.from(`${text}\n`), Buffer.from(data.buffer)]);
}

t.test(
  "an archive of NumPy serves the inputs that it has arrays of, and a folder of them one frame after the other",
  async (t) => {
    const root = t.testdir({ frames: {} });
    const path = join(root, "net.onnx");
    await writeFile(path, imageAndIdsModel());
    const model = await loadModel(path);
    const archive = (first: number, packed: boolean) =>
      zip(
        {
          "ids.npy": npy(
            "<i8",
            "5,",
            BigInt64Array.from({ length: 5 }, (_, i) => BigInt(first + i)),
          ),
          "image.npy": npy("<f8", "1, 3, 8, 8", new Float64Array(192).fill(first / 2)),
        },
        packed,
      );
    const folder = join(root, "frames");
    await writeFile(join(folder, "a.npz"), archive(0, false));
    await writeFile(join(folder, "b.npz"), archive(3, true));
    const ids: number[][] = [];
    const pixels: number[] = [];
    for await (const { image } of await openSources([folder], model)) {
      ids.push([...image.data.slice(192)]);
      pixels.push(new Float32Array(Int32Array.from(image.data.slice(0, 192)).buffer)[191]!);
    }
    t.same(ids, [
      [0, 1, 2, 3, 4],
      [3, 4, 5, 6, 7],
    ]);
    t.same(pixels, [0, 1.5]);
    const other = join(root, "other.npz");
    await writeFile(other, zip({ "words.npy": npy("<i8", "5,", new BigInt64Array(5)) }, false));
    await t.rejects(openSources([other], model), {
      message: /has arrays "words", the model's inputs are "image", "ids"$/,
    });
    await writeFile(other, archive(0, true).subarray(0, 300));
    await t.rejects(openSources([other], model), { kind: "unreadable", message: /is no \.npz archive/ });
  },
);
