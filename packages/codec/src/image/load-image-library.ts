import { TensorError } from "@sluice/tensor";
import {
  createImageLibrary,
  type ImageLibrary,
  type ImageLibraryName,
  imageLibraryNames,
  type LibraryModule,
} from "./image-library.js";

/** Options of a module made by Emscripten. */
interface ModuleOptions {
  print(text: string): void;
  printErr(text: string): void;
  locateFile?(file: string, directory: string): string;
}

/** The default export of a `@cornerstonejs/codec-*` package's entry `/wasmjs`. */
type LibraryFactory = (options: ModuleOptions) => Promise<LibraryModule>;

const imports: Readonly<Record<ImageLibraryName, () => Promise<{ readonly default: unknown }>>> = {
  jpeg: () => import("@cornerstonejs/codec-libjpeg-turbo-8bit/wasmjs"),
  jpeg2000: () => import("@cornerstonejs/codec-openjpeg/wasmjs"),
  htj2k: () => import("@cornerstonejs/codec-openjph/wasmjs"),
};

export interface LoadLibraryOptions {
  /**
   * Where the WebAssembly file of a library is, for hosts that do not find it beside its script: in a browser, what the
   * bundler made of `@cornerstonejs/codec-libjpeg-turbo-8bit/wasm` and its like. Default: beside the script.
   */
  readonly locate?: (file: string) => string;
}

const loading = new Map<ImageLibraryName, Promise<void>>();
const loaded = new Map<ImageLibraryName, ImageLibrary>();

/**
 * Loads the libraries of a codec, each once in a process.
 * @throws TensorError naming the library that cannot be loaded, and why
 */
export async function loadImageLibraries(
  names: readonly string[],
  options: LoadLibraryOptions = {},
): Promise<void> {
  await Promise.all(
    imageLibraryNames.filter((name) => names.includes(name)).map((name) => load(name, options)),
  );
}

/** Makes an instance of a library's module. */
export async function instantiateLibrary(
  name: ImageLibraryName,
  { locate }: LoadLibraryOptions = {},
): Promise<LibraryModule> {
  const factory = (await imports[name]()).default as LibraryFactory;
  // Libraries write about every broken codestream; a fault is what is told of it.
  return factory({ print() {}, printErr() {}, ...(locate ? { locateFile: locate } : {}) });
}

function load(name: ImageLibraryName, options: LoadLibraryOptions): Promise<void> {
  const known = loading.get(name);
  if (known) return known;
  const promise = createImageLibrary(name, () => instantiateLibrary(name, options)).then(
    (library) => {
      loaded.set(name, library);
    },
    (error: unknown) => {
      loading.delete(name);
      throw new TensorError(`codec.${name}`, `its library cannot be loaded: ${String(error)}`);
    },
  );
  loading.set(name, promise);
  return promise;
}

/** @throws TensorError where it has not been loaded */
export function imageLibrary(name: ImageLibraryName): ImageLibrary {
  const library = loaded.get(name);
  if (library) return library;
  throw new TensorError(`codec.${name}`, "its library is not loaded: await prepareCodec(codec) first");
}
