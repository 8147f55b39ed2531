// node build.mjs FOLDER: the page with everything that it needs, for any web server.
import { copyFileSync, cpSync, mkdirSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const folder = process.argv[2] ?? join(here, "dist");
const require = createRequire(import.meta.url);
await build({
  entryPoints: {
    main: join(here, "main.js"),
    "engine-worker": require.resolve("@sluice/inference/web/worker"),
  },
  ...{ outdir: folder, bundle: true, splitting: true, minify: true, format: "esm", logLevel: "warning" },
  // What image codecs ask for in Node; this page has none.
  external: ["@cornerstonejs/*"],
});
mkdirSync(join(folder, "runtime"), { recursive: true });
copyFileSync(join(here, "index.html"), join(folder, "index.html"));
const models = join(dirname(require.resolve("@sluice/inference")), "../models/fashion");
copyFileSync(join(models, "fashion.onnx"), join(folder, "fashion.onnx"));
cpSync(dirname(require.resolve("onnxruntime-web/wasm")), join(folder, "runtime"), {
  recursive: true,
  filter: (path) => !/\.(js|map)$/.test(path) && !/\/ort\.[^/]*$/.test(path),
});
