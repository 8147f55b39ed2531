/** The vectors in a page of Chromium: the same bytes and values as in Node, from codecs and concealment to whole sessions. */
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { bundle, noChromium, openChromium, servePages } from "@sluice/chromium-test";
import {
  formatReport,
  judgeCases,
  type LinePeer,
  ownVectorsDirectory,
  readVectors,
  runVectors,
} from "@sluice/conformance";
import t from "tap";

const require = createRequire(new URL("../../../codec/package.json", import.meta.url));
const libraries: Readonly<Record<string, string>> = Object.fromEntries(
  ["libjpeg-turbo-8bit", "openjpeg", "openjph"].flatMap((name) =>
    ["wasmjs", "wasm"].map((entry) => {
      const path = require.resolve(`@cornerstonejs/codec-${name}/${entry}`);
      return [`/libraries/${path.slice(path.lastIndexOf("/") + 1)}`, path];
    }),
  ),
);

const page = `<!doctype html><title>vectors</title>
<script src="/libraries/libjpegturbowasm.js"></script>
<script src="/libraries/openjpegwasm.js"></script>
<script src="/libraries/openjphjs.js"></script>`;

/** The adapter of `main.ts` as a module of a page; image libraries are loaded once, before the first case. */
const code = `
import { prepareCodec } from "@sluice/codec";
import { answer } from "./answer.js";
const factories = { jpeg: globalThis.libjpegturbowasm, jpeg2000: globalThis.OpenJPEGWASM, htj2k: globalThis.Module };
export async function prepare() {
  for (const name of Object.keys(factories))
    await prepareCodec("quantize:levels=256 | tile | " + name, {
      factory: (library) => factories[library],
      locate: (file) => "/libraries/" + file,
    });
}
export const answerAll = (requests) => Promise.all(requests.map(({ op, input }) =>
  answer(op, input).catch((error) => ({ broken: String(error.stack ?? error) }))));
`;

t.test("every vector in a page", { skip: noChromium, timeout: 120_000 }, async (t) => {
  const { files } = await bundle({
    code,
    directory: fileURLToPath(new URL("../adapter/", import.meta.url)),
    external: ["@cornerstonejs/*"],
  });
  const pages = await servePages((path) => {
    const library = libraries[path];
    return path === "/" ? page : library ? readFile(library) : files.get(path);
  });
  const browser = await openChromium();
  t.teardown(async () => {
    await browser.close();
    await pages.close();
  });
  await browser.page.goto(`${pages.origin}/`);
  await browser.page.evaluate(`import("/entry.js").then(({ prepare }) => prepare())`);

  const vectors = (await readVectors(ownVectorsDirectory)).flatMap(({ cases }) => cases);
  const requests = vectors.map(({ op, input }) => ({ op, input }));
  const answers = (await browser.page.evaluate(
    `import("/entry.js").then(({ answerAll }) => answerAll(${JSON.stringify(requests)}))`,
  )) as Record<string, never>[];
  let next = 0;
  const peer: LinePeer = {
    async ask() {
      const { output, error, unsupported, broken } = answers[next++]!;
      if (broken !== undefined) return { type: "broken", reason: broken };
      if (unsupported) return { type: "unsupported" };
      return error === undefined ? { type: "output", output: output! } : { type: "error", error };
    },
    async close() {},
  };
  const report = judgeCases(await runVectors(peer, vectors), []);
  t.ok(report.ok, formatReport(report));
  t.ok(report.counts.passed > 450, `${report.counts.passed} cases`);
});
