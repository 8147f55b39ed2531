// Bundles the page and its workers into dist/site: what the server serves as it is.
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const page = join(here, "src/page");
const output = join(here, "dist/site");
const require = createRequire(import.meta.url);
const fromCodec = createRequire(require.resolve("@sluice/codec"));
const imageLibraries = ["libjpeg-turbo-8bit", "openjpeg", "openjph"].map((name) =>
  fromCodec.resolve(`@cornerstonejs/codec-${name}/wasm`),
);

/** The page's own bundle takes uPlot's style sheet along, so that one file holds all of it. */
export async function buildPage() {
  // Chunks of earlier builds have other names.
  rmSync(output, { recursive: true, force: true });
  mkdirSync(output, { recursive: true });
  await build({
    entryPoints: {
      page: join(page, "page.ts"),
      "stream-worker": join(page, "stream-worker.ts"),
      "engine-worker": require.resolve("@sluice/inference/web/worker"),
    },
    ...{ outdir: output, bundle: true, splitting: true, minify: true, format: "esm", platform: "browser" },
    ...{ target: "es2022", sourcemap: "linked", logLevel: "warning", chunkNames: "chunk-[hash]" },
    // The image libraries ask for them where they find themselves in Node.
    external: ["fs", "path", "module", "worker_threads"],
  });
  const styles = [require.resolve("uplot/dist/uPlot.min.css"), join(page, "page.css")];
  writeFileSync(join(output, "page.css"), styles.map((path) => readFileSync(path, "utf8")).join("\n"));
  const files = ["index.html", "icon.svg"].map((name) => join(page, name));
  for (const path of [...files, ...imageLibraries]) copyFileSync(path, join(output, basename(path)));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await buildPage();
