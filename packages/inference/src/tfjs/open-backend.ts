/** Finding what TensorFlow.js can compute with here; runs in the worker thread. */
import type * as Tf from "@tensorflow/tfjs";

/** In the order in which they are tried: CUDA, native code, WebAssembly, plain JavaScript. */
export const tfjsBackends = ["tfjs-node-gpu", "tfjs-node", "wasm", "cpu"] as const;
export type TfjsBackend = (typeof tfjsBackends)[number];

export type TensorFlow = typeof Tf;

/** The packages that a backend is made of; the first one holds TensorFlow.js. */
const packagesOf: Readonly<Record<TfjsBackend, readonly [string, ...string[]]>> = {
  "tfjs-node-gpu": ["@tensorflow/tfjs-node-gpu"],
  "tfjs-node": ["@tensorflow/tfjs-node"],
  wasm: ["@tensorflow/tfjs", "@tensorflow/tfjs-backend-wasm"],
  cpu: ["@tensorflow/tfjs"],
};

/** What TensorFlow.js calls them. */
const registeredNames: Readonly<Record<TfjsBackend, string>> = {
  "tfjs-node-gpu": "tensorflow",
  "tfjs-node": "tensorflow",
  wasm: "wasm",
  cpu: "cpu",
};

/** Why a package did not load, in few words. (Its errors carry codes only where Node itself did not find it.) */
function reasonOf(name: string, error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  const absent = code === "ERR_MODULE_NOT_FOUND" && message.includes(name);
  return absent ? "is not installed" : `does not load: ${String(message ?? error).split("\n", 1)[0]}`;
}

async function importAll(backend: TfjsBackend, modules: Readonly<Record<string, string>>) {
  let first: TensorFlow | undefined;
  for (const name of packagesOf[backend]) {
    try {
      const loaded = (await import(modules[name] ?? name)) as { readonly default?: TensorFlow } & TensorFlow;
      // CommonJS: the namespace is the default export.
      first ??= loaded.default ?? loaded;
    } catch (error) {
      throw new Error(`${name} ${reasonOf(name, error)}`, { cause: error });
    }
  }
  return first!;
}

/**
 * Loads a backend and makes it the current one.
 * @throws Error in words that name the package or the backend
 */
export async function openBackend(
  backend: TfjsBackend,
  modules: Readonly<Record<string, string>> = {},
): Promise<TensorFlow> {
  const tf = await importAll(backend, modules);
  // Else it advertises another package on stderr.
  tf.enableProdMode();
  const name = registeredNames[backend];
  if (!(await tf.setBackend(name))) throw new Error(`backend ${name} does not start`);
  await tf.ready();
  if (tf.getBackend() !== name) throw new Error(`backend ${name} does not start`);
  return tf;
}
