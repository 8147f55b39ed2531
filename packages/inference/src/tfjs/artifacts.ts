import { createHash } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { basename, dirname, isAbsolute, join, normalize, sep } from "node:path";
import { ModelError } from "../model-error.js";
import { maxModelBytes } from "../onnx/model.js";

/** The two forms of TensorFlow.js: layers as Keras has them, or a graph of operations converted from TensorFlow. */
export type TfjsFormat = "tfjs-layers" | "tfjs-graph";

/** What a weight is: its name, shape and how its bytes are to be read (the format's own object, checked here). */
export interface WeightSpec {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: string;
  readonly quantization?: { readonly dtype: string };
}

/** A TensorFlow.js model as its files hold it: model.json and the weights of its shards, one behind the other. */
export interface TfjsArtifacts {
  readonly format: TfjsFormat;
  /** model.json without the weights' manifest. */
  readonly json: Readonly<Record<string, unknown>>;
  readonly weightSpecs: readonly WeightSpec[];
  readonly weightData: ArrayBuffer;
  /** Size of all files. */
  readonly byteLength: number;
  /** SHA-256 of the topology and the weights. */
  readonly hash: Uint8Array;
}

/** A topology is text of some kilobytes for each hundred operations; more than this is not parsed. */
const maxJsonBytes = 1 << 28;
const maxShards = 1 << 16;

const weightBytes: Readonly<Record<string, number>> = {
  float32: 4,
  float16: 2,
  int32: 4,
  uint8: 1,
  uint16: 2,
  bool: 1,
  complex64: 8,
};

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function refuse(reason: string): never {
  throw new ModelError("not-tfjs", reason);
}

async function sizeOf(path: string): Promise<number> {
  try {
    const status = await stat(path);
    if (!status.isFile()) throw new ModelError("unreadable", `"${basename(path)}": is not a file`);
    return status.size;
  } catch (cause) {
    if (cause instanceof ModelError) throw cause;
    const missing = (cause as NodeJS.ErrnoException).code === "ENOENT";
    const what = missing ? "there is no such file" : "cannot be read";
    throw new ModelError(missing ? "not-found" : "unreadable", `"${basename(path)}": ${what}`, { cause });
  }
}

async function readJson(path: string): Promise<Record<string, unknown>> {
  const size = await sizeOf(path);
  if (size > maxJsonBytes) {
    throw new ModelError("too-large", `model.json: ${size} bytes, at most ${maxJsonBytes} are allowed`);
  }
  let value: unknown;
  try {
    value = JSON.parse(await readFile(path, "utf8"));
  } catch (cause) {
    throw new ModelError("not-tfjs", `model.json: is not JSON`, { cause });
  }
  if (isRecord(value)) return value;
  const isManifest =
    Array.isArray(value) && value.some((group) => isRecord(group) && Array.isArray(group.weights));
  return refuse(isManifest ? onlyWeights : "model.json: is not an object");
}

/** What face-api and others publish, whose programs hold the network itself. */
const onlyWeights =
  "is a weights manifest of TensorFlow.js without a topology: it says what weights there are, and the program that they are " +
  "for says how they are used; a model.json holds both, as model.save() of TensorFlow.js writes it";

function formatOf(json: Record<string, unknown>): TfjsFormat {
  if (json.format === "layers-model") return "tfjs-layers";
  if (json.format === "graph-model") return "tfjs-graph";
  // Older files do not say.
  const { modelTopology } = json;
  if (modelTopology === undefined && Array.isArray(json.weightsManifest)) refuse(onlyWeights);
  if (!isRecord(modelTopology)) refuse("modelTopology: there is none, so this is not a TensorFlow.js model");
  return Array.isArray(modelTopology.node) ? "tfjs-graph" : "tfjs-layers";
}

function readSpec(value: unknown): WeightSpec {
  if (!isRecord(value) || typeof value.name !== "string" || typeof value.dtype !== "string") {
    refuse("weightsManifest: every weight needs a name and a dtype");
  }
  const { shape, quantization } = value;
  const valid =
    Array.isArray(shape) && shape.every((size) => Number.isInteger(size) && size >= 0 && size < 2 ** 31);
  if (!valid) refuse(`weightsManifest: weight "${value.name}": shape must be a list of sizes`);
  if (quantization !== undefined && (!isRecord(quantization) || typeof quantization.dtype !== "string")) {
    refuse(`weightsManifest: weight "${value.name}": quantization needs a dtype`);
  }
  return value as unknown as WeightSpec;
}

/** Bytes that a weight has in its shard; undefined for strings, which say so themselves. */
function bytesOf({ name, shape, dtype, quantization }: WeightSpec): number | undefined {
  if (dtype === "string") return undefined;
  const size = weightBytes[quantization?.dtype ?? dtype];
  if (size === undefined) refuse(`weightsManifest: weight "${name}": dtype ${dtype} is not known`);
  return shape.reduce((count, axis) => count * axis, size);
}

/** A shard's path, which must stay in the model's folder. */
function shardPath(directory: string, path: unknown): string {
  if (typeof path !== "string" || path === "") refuse("weightsManifest: a path is no text");
  const clean = normalize(path);
  if (isAbsolute(clean) || clean === ".." || clean.startsWith(`..${sep}`) || path.includes("\0")) {
    refuse(`weightsManifest: path "${path}" leads out of the model's folder`);
  }
  return join(directory, clean);
}

function readManifest(json: Record<string, unknown>, directory: string) {
  const manifest = json.weightsManifest;
  if (!Array.isArray(manifest)) refuse("weightsManifest: there is none");
  const paths: string[] = [];
  const specs: WeightSpec[] = [];
  for (const group of manifest) {
    if (!isRecord(group) || !Array.isArray(group.paths) || !Array.isArray(group.weights)) {
      refuse("weightsManifest: every group needs paths and weights");
    }
    for (const path of group.paths) paths.push(shardPath(directory, path));
    for (const weight of group.weights) specs.push(readSpec(weight));
  }
  if (paths.length > maxShards) refuse(`weightsManifest: ${paths.length} shards, at most ${maxShards}`);
  return { paths, specs };
}

/** The shards' bytes; their number is known to be what the weights need before memory is taken. */
async function readShards(paths: readonly string[], specs: readonly WeightSpec[]): Promise<ArrayBuffer> {
  const sizes = await Promise.all(paths.map(sizeOf));
  const total = sizes.reduce((sum, size) => sum + size, 0);
  if (total > maxModelBytes) {
    throw new ModelError("too-large", `weights: ${total} bytes, at most ${maxModelBytes} are allowed`);
  }
  const wanted = specs.map(bytesOf);
  const needed = wanted.reduce<number>((sum, bytes) => sum + (bytes ?? 0), 0);
  if (wanted.includes(undefined) ? needed > total : needed !== total) {
    refuse(`weights: the shards have ${total} bytes, the manifest's weights need ${needed}`);
  }
  const data = new Uint8Array(total);
  let offset = 0;
  for (const [i, path] of paths.entries()) {
    const shard = await readFile(path);
    if (shard.length !== sizes[i]) throw new ModelError("unreadable", `"${path}": changed while it was read`);
    data.set(shard, offset);
    offset += shard.length;
  }
  return data.buffer;
}

/**
 * Reads a TensorFlow.js model.
 * @param path of its model.json; the shards lie where that says, in the same folder or below
 * @throws ModelError `not-found`, `unreadable`, `too-large`, `not-tfjs`
 */
export async function readArtifacts(path: string): Promise<TfjsArtifacts> {
  const { ...json } = await readJson(path);
  const format = formatOf(json);
  const { paths, specs } = readManifest(json, dirname(path));
  const weightData = await readShards(paths, specs);
  delete json.weightsManifest;
  const byteLength = (await sizeOf(path)) + weightData.byteLength;
  const digest = createHash("sha256").update(JSON.stringify(json)).update(new Uint8Array(weightData));
  const hash = new Uint8Array(digest.digest());
  return { format, json, weightSpecs: specs, weightData, byteLength, hash };
}
