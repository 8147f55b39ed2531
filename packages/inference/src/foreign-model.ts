/** Telling what a file is that is no model here, and what makes one of it. */
import { open, readdir } from "node:fs/promises";
import { extname, join } from "node:path";
import { ModelError } from "./model-error.js";

const fromTorch =
  'is PyTorch\'s and holds no graph: torch.onnx.export(network, (example,), "model.onnx") writes one';
const fromKeras = 'is Keras\'s: network.export("model.onnx", format="onnx") writes one that is taken';
const fromLite =
  "is TensorFlow Lite's: `python -m tf2onnx.convert --tflite FILE --output model.onnx` makes one that is taken";
const fromSaved =
  "is TensorFlow's: `python -m tf2onnx.convert --saved-model FOLDER --output model.onnx` makes one that is taken";
const packed = "is an archive: unpack it, and name the .onnx file or the folder of the model.json in it";
const fromLlama = "is llama.cpp's, which cannot be cut; there are ONNX exports of most networks";
const fromRuntime =
  "is onnxruntime's own format, whose graph is not to be read: name the .onnx file that it was made of";

/** By the ending of the name. */
const byEnding: Readonly<Record<string, string>> = {
  ...{
    ".pt": fromTorch,
    ".pth": fromTorch,
    ".ckpt": fromTorch,
    ".safetensors": fromTorch,
    ".bin": fromTorch,
  },
  ...{ ".h5": fromKeras, ".keras": fromKeras, ".hdf5": fromKeras, ".tflite": fromLite, ".pb": fromSaved },
  ...{ ".zip": packed, ".tar": packed, ".gz": packed, ".tgz": packed, ".gguf": fromLlama },
  ".ort": fromRuntime,
  ".mlmodel": "is Core ML's: export the network to ONNX from where it was made",
};

/** By text at a place among the first bytes, as Latin-1. */
const byStart: readonly (readonly [number, string, string])[] = [
  [0, "version https://git-lfs", "is a pointer of Git LFS: `git lfs pull` fetches the file"],
  [0, "<", "is a web page, as comes in place of a download that failed"],
  [0, "PK\u0003\u0004", packed],
  [0, "\u001f\u008b", packed],
  [4, "TFL3", fromLite],
  [4, "ORTM", fromRuntime],
  [0, "\u0089HDF", fromKeras],
  [0, "GGUF", fromLlama],
  [8, '{"', fromTorch],
];

async function firstBytes(path: string): Promise<string> {
  const file = await open(path);
  try {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(64), 0, 64, 0);
    return buffer.toString("latin1", 0, bytesRead);
  } finally {
    await file.close();
  }
}

/** What a file is by its first bytes, and what to do about it; undefined where that is not known. */
export async function tellForeign(path: string): Promise<string | undefined> {
  const start = await firstBytes(path).catch(() => "");
  return byStart.find(([at, text]) => start.startsWith(text, at))?.[2];
}

/** @throws ModelError `unsupported` for a folder that holds other models, or a file of another format, by its name */
export async function refuseForeign(path: string): Promise<void> {
  const names = await readdir(path).catch(() => undefined);
  if (names === undefined) {
    const told = byEnding[extname(path).toLowerCase()];
    if (told !== undefined) throw new ModelError("unsupported", `model "${path}": ${told}`);
    return;
  }
  if (names.includes("model.json")) return;
  const found = names.filter((name) => extname(name).toLowerCase() === ".onnx").slice(0, 3);
  const told = names.includes("saved_model.pb")
    ? fromSaved
    : found.length > 0
      ? `is a folder: name a file in it, such as ${join(path, found[0]!)}`
      : "is a folder without the model.json of a TensorFlow.js model, and without an .onnx file";
  throw new ModelError("unsupported", `model "${path}": ${told}`);
}
