import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type BrowserContext, chromium, type Page } from "playwright-core";

const commonArguments = [
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
  const path = process.env.CHROMIUM ?? "/usr/bin/chromium";
  return existsSync(path) ? path : undefined;
}

/** For the `skip` of a test: why there is none; false where there is one. */
export const noChromium: string | false =
  findChromium() === undefined && "no Chromium at $CHROMIUM or /usr/bin/chromium";

export interface OpenChromiumOptions {
  /** Further arguments of its command line. */
  readonly args?: readonly string[];
  readonly viewport?: { readonly width: number; readonly height: number };
}

/** A headless Chromium with a profile of its own. */
export interface TestBrowser {
  readonly version: string;
  readonly context: BrowserContext;
  /** Its first page. */
  readonly page: Page;
  close(): Promise<void>;
}

/** @throws Error where there is no Chromium, or it does not start */
export async function openChromium(options: OpenChromiumOptions = {}): Promise<TestBrowser> {
  const executablePath = findChromium();
  if (executablePath === undefined) throw new Error(String(noChromium));
  const profile = await mkdtemp(join(tmpdir(), "sluice-chromium-"));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath,
    // Playwright's own arguments switch things off that are under test.
    ignoreDefaultArgs: ["--disable-quic"],
    args: [...commonArguments, ...(options.args ?? [])],
    ...(options.viewport ? { viewport: options.viewport } : {}),
  });
  return {
    version: context.browser()?.version() ?? "unknown",
    context,
    page: context.pages()[0] ?? (await context.newPage()),
    async close() {
      await context.close();
      await rm(profile, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}
