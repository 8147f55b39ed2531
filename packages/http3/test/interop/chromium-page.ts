import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";

const ARGUMENTS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** The Chromium to test with: that of the environment, else Debian's; `undefined` where there is none. */
export function findChromium(): string | undefined {
  const path = process.env["CHROMIUM"] ?? "/usr/bin/chromium";
  return existsSync(path) ? path : undefined;
}

/** A page of a headless Chromium that can run the functions of `scenarios.mjs`. */
export interface ChromiumPage {
  readonly version: string;
  /** The page's, as browsers name it: `http://host:port`. */
  readonly origin: string;
  run(scenario: string, ...parameters: readonly (string | number)[]): Promise<unknown>;
  close(): Promise<void>;
}

/** Starts Chromium with a profile of its own, on a page at http://localhost, which is a secure context. */
export async function openChromiumPage(executablePath: string): Promise<ChromiumPage> {
  const script = await readFile(new URL("../../../test/interop/scenarios.mjs", import.meta.url));
  const pages = createServer((request, response) => {
    const isScript = request.url === "/scenarios.mjs";
    response.setHeader("content-type", isScript ? "text/javascript" : "text/html");
    response.end(isScript ? script : "<!doctype html><title>interop</title>");
  });
  await new Promise<void>((resolve) => pages.listen(0, "localhost", resolve));
  const profile = await mkdtemp(join(tmpdir(), "interop-chromium-"));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath,
    // Playwright's own arguments switch things off that are under test.
    ignoreDefaultArgs: ["--disable-quic"],
    args: ARGUMENTS,
  });
  const page = context.pages()[0] ?? (await context.newPage());
  const origin = `http://localhost:${(pages.address() as AddressInfo).port}`;
  await page.goto(`${origin}/`);
  return {
    version: context.browser()?.version() ?? "unknown",
    origin,
    run: (scenario, ...parameters) =>
      page.evaluate(
        `import("/scenarios.mjs").then((scenarios) => scenarios[${JSON.stringify(scenario)}](...${JSON.stringify(parameters)}))`,
      ),
    async close() {
      await context.close();
      pages.closeAllConnections();
      await new Promise((resolve) => pages.close(resolve));
      await rm(profile, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}
