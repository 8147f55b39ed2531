import { decodeBase64 } from "../base64.js";

/** As much of WebAssembly's JavaScript interface as the kernels need; neither Node's types nor the DOM's are known. */
export interface WasmMemory {
  readonly buffer: ArrayBuffer;
  /** Grows by so many pages of 65,536 bytes; every view of `buffer` is void then. */
  grow(pages: number): number;
}

declare const WebAssembly:
  | {
      readonly Module: new (bytes: Uint8Array) => object;
      readonly Instance: new (module: object) => { readonly exports: object };
    }
  | undefined;

/** A module made by scripts/build-kernels.mjs from a package's assembly/index.ts. */
export interface WasmModule {
  readonly base64: string;
  readonly byteLength: number;
}

/**
 * Compiles a module and makes an instance of it, at once. `undefined` where this machine has no WebAssembly or no
 * SIMD, a content security policy forbids it, or the module is too large to be compiled without waiting: on the main
 * thread Chromium allows 8 MB, before version 114 4 KB; others and workers have no limit.
 */
export function instantiate<Exports extends { readonly memory: WasmMemory }>({
  base64,
  byteLength,
}: WasmModule): Exports | undefined {
  if (typeof WebAssembly === "undefined") return undefined;
  try {
    const module = new WebAssembly.Module(decodeBase64(base64, byteLength, "module"));
    return new WebAssembly.Instance(module).exports as Exports;
  } catch {
    return undefined;
  }
}

const pageBytes = 65536;

/** Grows a memory to at least so many bytes. @returns whether it had to, which voids all views of its buffer */
export function reserve(memory: WasmMemory, bytes: number): boolean {
  const missing = bytes - memory.buffer.byteLength;
  if (missing <= 0) return false;
  memory.grow(Math.ceil(missing / pageBytes));
  return true;
}
