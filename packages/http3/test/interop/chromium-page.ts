import { readFile } from "node:fs/promises";
import { openChromium, servePages } from "@sluice/chromium-test";

/** A page of a headless Chromium that can run the functions of `scenarios.mjs`. */
export interface ChromiumPage {
  readonly version: string;
  /** The page's, as browsers name it: `http://host:port`. */
  readonly origin: string;
  run(scenario: string, ...parameters: readonly (string | number)[]): Promise<unknown>;
  close(): Promise<void>;
}

/** Starts Chromium on a page at http://localhost, which is a secure context. */
export async function openChromiumPage(): Promise<ChromiumPage> {
  const script = await readFile(new URL("../../../test/interop/scenarios.mjs", import.meta.url));
  const pages = await servePages((path) =>
    path === "/scenarios.mjs" ? script : "<!doctype html><title>interop</title>",
  );
  const browser = await openChromium();
  await browser.page.goto(`${pages.origin}/`);
  return {
    version: browser.version,
    origin: pages.origin,
    run: (scenario, ...parameters) =>
      browser.page.evaluate(
        `import("/scenarios.mjs").then((scenarios) => scenarios[${JSON.stringify(scenario)}](...${JSON.stringify(parameters)}))`,
      ),
    async close() {
      await browser.close();
      await pages.close();
    },
  };
}
