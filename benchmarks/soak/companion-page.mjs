// A page of Chromium that streams, beside the campaign's own clients.
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { bundle, openChromium, servePages } from "@sluice/chromium-test";

const code = new URL("companion-page-code.mjs", import.meta.url);
/** Where the packages that it imports are found. */
const directory = fileURLToPath(new URL("../../packages/client/", import.meta.url));

export async function openPageCompanion(target) {
  const { files } = await bundle({
    ...{ code: await readFile(code, "utf8"), directory, external: ["@cornerstonejs/*"] },
  });
  const pages = await servePages((path) =>
    path === "/" ? "<!doctype html><title>soak</title>" : files.get(path),
  );
  const browser = await openChromium();
  const close = async () => {
    await browser.close();
    await pages.close();
  };
  try {
    const { page, context } = browser;
    const thrown = [];
    page.on("pageerror", (error) => thrown.push(error.message));
    await page.goto(`${pages.origin}/`);
    const call = (name, ...parameters) =>
      page.evaluate(
        `import("/entry.js").then((page) => page[${JSON.stringify(name)}](...${JSON.stringify(parameters)}))`,
      );
    await call("open", target);
    const devtools = await context.newCDPSession(page);
    await devtools.send("HeapProfiler.enable");
    return {
      /** The page's own heap, after a collection. */
      async look() {
        await devtools.send("HeapProfiler.collectGarbage");
        const { usedSize, backingStorageSize = 0 } = await devtools.send("Runtime.getHeapUsage");
        return { heapBytes: usedSize + backingStorageSize };
      },
      delivered: () => call("delivered"),
      async finish() {
        const frames = await call("finish");
        await close();
        return { frames, failures: thrown.map((message) => `the page threw: ${message}`) };
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}
