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

/** How libraries are loaded where the host cannot do it by itself; Node can, and so can bundlers, but for `locate`. */
export interface LoadLibraryOptions {
  /**
   * Gives what the script of a library defines, for hosts that cannot import `@cornerstonejs/codec-*` by name: in a page
   * without a bundler `libjpegturbowasm`, `OpenJPEGWASM` or `Module` of its script's. Default: the package's entry `/wasmjs`.
   */
  readonly factory?: (name: ImageLibraryName) => unknown;
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
  { factory: find, locate }: LoadLibraryOptions = {},
): Promise<LibraryModule> {
  const factory = (find ? find(name) : (await imports[name]()).default) as LibraryFactory;
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
