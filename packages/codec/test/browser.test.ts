/** The codecs in a page of Chromium, without a bundler: the same bytes as here. */
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { noChromium, openChromium, servePages } from "@sluice/chromium-test";
import { prepareCodec } from "@sluice/codec";
import type { Tensor } from "@sluice/tensor";
import t from "tap";
import { waveTensor } from "./wave-tensor.js";

const require = createRequire(import.meta.url);
const packages = fileURLToPath(new URL("../../../", import.meta.url));
const libraries = {
  "libjpegturbowasm.js": require.resolve("@cornerstonejs/codec-libjpeg-turbo-8bit/wasmjs"),
  "libjpegturbowasm.wasm": require.resolve("@cornerstonejs/codec-libjpeg-turbo-8bit/wasm"),
  "openjpegwasm.js": require.resolve("@cornerstonejs/codec-openjpeg/wasmjs"),
  "openjpegwasm.wasm": require.resolve("@cornerstonejs/codec-openjpeg/wasm"),
  "openjphjs.js": require.resolve("@cornerstonejs/codec-openjph/wasmjs"),
  "openjphjs.wasm": require.resolve("@cornerstonejs/codec-openjph/wasm"),
};

const page = `<!doctype html><title>codecs</title>
<script type="importmap">
{ "imports": { "@sluice/codec": "/codec/dist/index.js", "@sluice/tensor": "/tensor/dist/index.js" } }
</script>
<script src="/libraries/libjpegturbowasm.js"></script>
<script src="/libraries/openjpegwasm.js"></script>
<script src="/libraries/openjphjs.js"></script>`;

async function readPath(path: string): Promise<Uint8Array | string> {
  if (path === "/") return page;
  const library = path.startsWith("/libraries/") ? path.slice("/libraries/".length) : undefined;
  return readFile(library ? libraries[library as keyof typeof libraries] : join(packages, path));
}

async function runHere(text: string, tensor: Tensor) {
  const codec = await prepareCodec(text);
  const { slices } = codec.createEncoder(tensor).encode(tensor, 1_150);
  const partial = codec.createDecoder(tensor).begin();
  for (const { index, count, payload } of slices) partial.add(index, count, payload);
  return { payloads: slices.map(({ payload }) => [...payload]), elements: [...partial.finish().tensor.data] };
}

t.test(
  "every stage gives the same bytes and elements in a browser",
  { skip: noChromium, timeout: 120_000 },
  async (t) => {
    const pages = await servePages(readPath);
    const browser = await openChromium();
    t.teardown(async () => {
      await browser.close();
      await pages.close();
    });
    const tab = browser.page;
    await tab.goto(`${pages.origin}/`);
    const tensor = waveTensor("float32", [8, 20, 20]);
    const cases: [string, string[]][] = [
      ["quantize:levels=8,clip=3", []],
      ["quantize:levels=20 | entropy", []],
      ["quantize:levels=256 | tile | jpeg", ["libjpegturbowasm.wasm"]],
      ["quantize:levels=256 | tile | jpeg2000", ["openjpegwasm.wasm"]],
      ["quantize:levels=256 | tile | htj2k", ["openjphjs.wasm"]],
    ];
    for (const [text, located] of cases) {
      const call = [text, tensor.shape, [...tensor.data]].map((value) => JSON.stringify(value)).join(", ");
      const there = await tab.evaluate(
        `import("/codec/test/browser-page.mjs").then(({ runChain }) => runChain(${call}))`,
      );
      t.strictSame(there, { located, ...(await runHere(text, tensor)) }, text);
    }
  },
);
