/** What a page loads of the client: bundled as an application would, minified, gzipped. */
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { bundle } from "@sluice/chromium-test";
import t from "tap";

const directory = fileURLToPath(new URL("../../../", import.meta.url));
const budgetBytes = 65_000;

/** Sizes in bytes, without the kernels' WebAssembly, which stands as text in modules of its own. */
async function measure(code: string): Promise<{ readonly initial: number; readonly all: number }> {
  const { files, initial } = await bundle({
    ...{ code, directory, external: ["@cornerstonejs/*"] },
    plugins: [
      {
        name: "without-webassembly",
        setup({ onLoad }) {
          onLoad({ filter: /gen[/\\]kernel-module\.js$/ }, () => ({
            contents: "export const kernelModule = {};",
          }));
        },
      },
    ],
  });
  const sizeOf = (paths: Iterable<string>) =>
    [...paths].reduce((sum, path) => sum + gzipSync(files.get(path)!, { level: 9 }).byteLength, 0);
  return { initial: sizeOf(initial), all: sizeOf(files.keys()) };
}

t.test("a client that reconnects and falls back", async (t) => {
  const { initial, all } = await measure(`
    export { createReconnectingClient } from "@sluice/client";
    export { connect } from "@sluice/client/browser";`);
  t.comment(`${initial} bytes at the start, ${all} with every codec and the fallback`);
  t.ok(initial <= budgetBytes, `${initial} bytes, at most ${budgetBytes}`);
  t.ok(initial < all, "the larger codecs and the fallback are loaded when they are used");
});

t.test("what is not used is not loaded", async (t) => {
  const { initial } = await measure(`export { createReconnectPolicy } from "@sluice/client";`);
  t.ok(initial < 1_000, `${initial} bytes for a part that needs nothing else`);
});
