// Compiles assembly/index.ts of each package that has one (AssemblyScript) to src/gen/kernel-module.ts, which holds the
// WebAssembly module as text: it loads in Node and in browsers alike, without a file or a request. The result is not
// committed, as no generated code is: the sources and the pinned compiler decide every byte of it, which a test shows.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** No runtime and no imports: the kernels are loops over memory. */
const options = ["-O3", "--runtime", "stub", "--enable", "simd", "--noAssert", "--stackSize", "0"];

const isPackageWithKernels = (directory) => existsSync(join(directory, "assembly/index.ts"));

/** Directories of the packages below `root` that have kernels. */
export function findKernels(root) {
  return readdirSync(join(root, "packages"))
    .map((name) => join(root, "packages", name))
    .filter(isPackageWithKernels);
}

/** Compiles the kernels of a package. @returns the bytes of the module. @throws Error with what the compiler said */
export async function compileKernels(directory) {
  const { default: asc } = await import("assemblyscript/asc");
  let bytes;
  const { error, stderr } = await asc.main(["assembly/index.ts", "--outFile", "kernels.wasm", ...options], {
    readFile(file) {
      const path = join(directory, file);
      return existsSync(path) ? readFileSync(path, "utf8") : null;
    },
    writeFile(_, contents) {
      bytes = contents;
    },
    listFiles: () => [],
  });
  if (error !== null) throw new Error(`${directory}: ${stderr.toString()}`);
  return Buffer.from(bytes);
}

/** What decides about a package's module, as one hash. */
function hashSources(directory) {
  const { version } = createRequire(import.meta.url)("assemblyscript/package.json");
  const hash = createHash("sha256").update(`assemblyscript ${version} ${options.join(" ")}\n`);
  hash.update(readFileSync(fileURLToPath(import.meta.url)));
  for (const name of readdirSync(join(directory, "assembly")).sort()) {
    hash.update(`${name}\n`).update(readFileSync(join(directory, "assembly", name)));
  }
  return hash.digest("hex");
}

/** Writes src/gen/kernel-module.ts of every package with kernels, unless it is what its sources say. */
export async function buildKernels(root) {
  for (const directory of findKernels(root)) {
    const file = join(directory, "src/gen/kernel-module.ts");
    const stamp = `// Made by scripts/build-kernels.mjs of ${hashSources(directory)}\n`;
    if (existsSync(file) && readFileSync(file, "utf8").startsWith(stamp)) continue;
    const bytes = await compileKernels(directory);
    const text = `export const kernelModule = {\n  base64: "${bytes.toString("base64")}",\n  byteLength: ${bytes.length},\n};\n`;
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, stamp + text);
  }
}
