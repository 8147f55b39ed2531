import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import t from "tap";
import { compileKernels, findKernels } from "../build-kernels.mjs";

const root = join(dirname(fileURLToPath(import.meta.url)), "../..");
const packages = findKernels(root);
t.ok(packages.length > 0, "there are packages with kernels");

for (const directory of packages) {
  t.test(`kernels of ${directory.slice(root.length + 1)}`, async (t) => {
    const { kernelModule } = await import(pathToFileURL(join(directory, "dist/gen/kernel-module.js")).href);
    const bytes = await compileKernels(directory);
    t.equal(kernelModule.base64, bytes.toString("base64"), "compiling once more gives the same bytes");
    t.equal(kernelModule.byteLength, bytes.length);
    const module = new WebAssembly.Module(bytes);
    t.strictSame(WebAssembly.Module.imports(module), [], "nothing is imported");
  });
}
