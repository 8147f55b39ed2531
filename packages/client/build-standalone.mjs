// Bundles dist/standalone: the client for pages that have no bundler, as ES modules without further imports.
import { rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const outdir = join(here, "dist/standalone");
// Chunks of earlier builds have other names.
rmSync(outdir, { recursive: true, force: true });
await build({
  stdin: {
    contents: `
      export * from "@sluice/client";
      export * from "@sluice/client/browser";
      export { createTensor } from "@sluice/tensor";`,
    resolveDir: here,
    sourcefile: "index.js",
  },
  ...{
    outdir,
    entryNames: "index",
    bundle: true,
    splitting: true,
    minify: true,
    format: "esm",
    platform: "browser",
  },
  ...{ target: "es2022", sourcemap: "linked", logLevel: "warning" },
  // Image codecs are for bundlers: their WebAssembly lies in files of their own.
  external: ["@cornerstonejs/*"],
});
