import { readdir, stat } from "node:fs/promises";
import { basename, extname, join } from "node:path";
import { embeddedModels, loadModel, type Model, type ProviderChoice } from "@sluice/inference";
import {
  compareVersions,
  createModelRegistry,
  createSinkModel,
  type ModelRegistry,
  modelReference,
  type ServableModel,
} from "@sluice/server";
import { CliError } from "./cli-error.js";
import { ExitCode } from "./exit-codes.js";
import { type ModelEntry, plainEntry } from "./model-entry.js";
import { engineOptions } from "./provider-option.js";
import { type RemoteHalf, remoteOptions, withRemoteHalves } from "./remote-halves.js";
import { loadServedHalf } from "./served-network.js";

/** Models that are served, and what is told of them at the start. */
export interface ServedModels {
  readonly registry: ModelRegistry;
  /** In the order in which they were given. */
  readonly served: readonly ServedEntry[];
}

export interface ServedEntry {
  /** What clients ask for. */
  readonly reference: string;
  readonly defaultSplit: string;
  /** What was read; `undefined` for `sink`. */
  readonly model: Model | undefined;
}

/**
 * The models below a folder: `NAME/VERSION/*.onnx` or `NAME/VERSION/model.json`, as other model servers lay them out, and
 * without versions `NAME.onnx` and `NAME/model.json`; a model.json is one of TensorFlow.js. Names of classes lie beside a
 * model as `labels.json`, `labels.tsv` or `labels.txt`, in the folder of the version or of the name.
 * @throws CliError where there are none
 */
export async function findModels(directory: string): Promise<ModelEntry[]> {
  const entries: ModelEntry[] = [];
  for (const name of await list(directory)) {
    const path = join(directory, name);
    if (isOnnx(name)) entries.push({ ...plainEntry, name: basename(name, extname(name)), reference: path });
    else if ((await stat(path)).isDirectory()) entries.push(...(await findBelow(name, path)));
  }
  if (entries.length > 0) return entries;
  throw new CliError(
    ExitCode.notFound,
    `--models: ${directory} holds neither NAME.onnx nor NAME/VERSION/ with an .onnx file or the model.json of TensorFlow.js`,
  );
}

async function findBelow(name: string, directory: string): Promise<ModelEntry[]> {
  const own = (await list(directory)).find(isTfjs);
  if (own === undefined) return findVersions(name, directory);
  const reference = join(directory, own);
  return [{ ...plainEntry, name, reference, labelsPath: await findLabels(directory) }];
}

async function findVersions(name: string, directory: string): Promise<ModelEntry[]> {
  const entries: ModelEntry[] = [];
  for (const version of await list(directory)) {
    const path = join(directory, version);
    // What is no version is something else that lies there: labels, a configuration.
    if (!/^[A-Za-z0-9.-]+$/.test(version) || !(await stat(path)).isDirectory()) continue;
    const files = await list(path);
    const file = files.find(isOnnx) ?? files.find(isTfjs);
    if (!file) continue;
    const labelsPath = (await findLabels(path)) ?? (await findLabels(directory));
    entries.push({ name, version, reference: join(path, file), labelsPath });
  }
  return entries.sort((a, b) => compareVersions(b.version, a.version));
}

async function findLabels(directory: string): Promise<string | undefined> {
  const names = await list(directory);
  const name = ["labels.json", "labels.tsv", "labels.txt"].find((it) => names.includes(it));
  return name && join(directory, name);
}

async function list(directory: string): Promise<string[]> {
  try {
    return (await readdir(directory)).sort();
  } catch (cause) {
    throw new CliError(ExitCode.notFound, `--models: cannot read the folder ${directory}`, { cause });
  }
}

function isOnnx(name: string): boolean {
  return extname(name).toLowerCase() === ".onnx";
}

function isTfjs(name: string): boolean {
  return name === "model.json";
}

/** Reads the models; their networks are loaded when they are first asked for. @throws ModelError, CliError for two of one name */
export async function openServedModels(
  entries: readonly ModelEntry[],
  options: {
    readonly threads: number | undefined;
    readonly provider?: ProviderChoice | undefined;
    readonly maxLoaded: number | undefined;
    /** Of the first model. */
    readonly remote?: readonly RemoteHalf[];
    /** Takes a line about what runs a model, where that was to be found out. */
    readonly onLog?: (line: string, reference: string) => void;
  },
): Promise<ServedModels> {
  const models: ServableModel[] = [];
  const served: ServedEntry[] = [];
  for (const [i, entry] of entries.entries()) {
    const halves = i === 0 ? (options.remote ?? []) : [];
    const { servable, defaultSplit, model } = await openEntry(entry, halves, options);
    models.push(servable);
    served.push({ reference: modelReference(servable), defaultSplit, model });
  }
  return { registry: createRegistry(models, options.maxLoaded), served };
}

function createRegistry(models: readonly ServableModel[], maxLoaded: number | undefined): ModelRegistry {
  try {
    return createModelRegistry(models, maxLoaded === undefined ? {} : { maxLoaded });
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new CliError(ExitCode.usage, `--model: ${error.message}`, { cause: error });
  }
}

async function openEntry(
  entry: ModelEntry,
  halves: readonly RemoteHalf[],
  options: Pick<Parameters<typeof openServedModels>[1], "threads" | "provider" | "onLog">,
): Promise<Omit<ServedEntry, "reference"> & { readonly servable: ServableModel }> {
  const { name, version, reference, labelsPath } = entry;
  if (reference === "sink") {
    const sink = createSinkModel();
    const load = async () => ({ serve: () => sink, async close() {} });
    return { servable: { name: name ?? "sink", version, load }, defaultSplit: "", model: undefined };
  }
  const remote = remoteOptions(process.env);
  const { onLog: log } = options;
  const onLog = log && onceEach((line) => log(line, reference));
  const read = await loadModel(reference, {
    ...{ remote, severalInputs: true, ...(labelsPath ? { labelsPath } : {}) },
    ...(onLog ? { onLog } : {}),
  });
  const model = await withRemoteHalves(read, halves, remote);
  const engine = { ...engineOptions(options), ...(onLog ? { onLog } : {}) };
  return {
    servable: { name: name ?? model.name, version, load: (split) => loadServedHalf(model, split, engine) },
    ...{ defaultSplit: model.defaultCut ?? "", model },
  };
}

/** Lines that are remembered. */
const maxSaid = 100;

/** Each half is loaded by itself, and says the same. */
function onceEach(call: (line: string) => void): (line: string) => void {
  const said = new Set<string>();
  return (line) => {
    if (said.size >= maxSaid) said.clear();
    if (!said.has(line)) call(line);
    said.add(line);
  };
}

/** What the help says can be served without a file. */
export const servedWithoutFile = [...embeddedModels, "sink"].join(", ");
