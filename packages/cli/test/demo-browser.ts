/** A Chromium on the demo's page, and what tests ask of it. Screenshots stay in dist/test/screenshots. */
import { mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { openChromium, type TestBrowser } from "@sluice/chromium-test";
import type { Test } from "tap";
import type { RunningSluice } from "./run-sluice.js";
import { type Listening, startServer } from "./start-server.js";

export type Page = TestBrowser["page"];

export const screenshots = fileURLToPath(new URL("screenshots/", import.meta.url));
/** Long enough for a machine that has much else to do; nothing is decided by it. */
const patienceMs = 60_000;
const lookMs = 50;

/** Waits until an expression is true in the page, whose policy does not let it be watched from inside. */
export async function until(page: Page, expression: string): Promise<void> {
  const endMs = performance.now() + patienceMs;
  while (!(await page.evaluate(expression))) {
    if (performance.now() > endMs) throw new Error(`not within ${patienceMs} ms: ${expression}`);
    await new Promise((resolve) => setTimeout(resolve, lookMs));
  }
}

export const text = (page: Page, id: string) => page.locator(`#${id}`).textContent();
export const deliveredOf = async (page: Page) =>
  Number(await page.locator("#flow").getAttribute("data-delivered"));

/** Waits for so many more results. */
export async function moreResults(page: Page, count = 10): Promise<void> {
  const wanted = (await deliveredOf(page)) + count;
  await until(page, `Number(document.getElementById("flow").dataset.delivered) >= ${wanted}`);
}

export const untilText = (page: Page, id: string, part: string) =>
  until(page, `document.getElementById(${JSON.stringify(id)}).textContent.includes(${JSON.stringify(part)})`);

export async function setRange(page: Page, name: string, value: number): Promise<void> {
  await page.evaluate(`(() => {
    const input = document.querySelector("[name=${name}]");
    input.value = ${value};
    input.dispatchEvent(new Event("input", { bubbles: true }));
  })()`);
}

export interface DemoBrowser {
  readonly browser: TestBrowser;
  readonly page: Page;
  readonly server: RunningSluice;
  readonly listening: Listening & { readonly pageUrl: string };
  /** Errors that the page has made. */
  readonly problems: readonly string[];
}

/** Starts a server with the page, and opens it. */
export async function openDemo(t: Test): Promise<DemoBrowser> {
  mkdirSync(screenshots, { recursive: true });
  // Over UDP and over the fallback: the page's own origin is let in, whatever the list says.
  const [server, listening] = await startServer(t, [
    ...["--demo", "127.0.0.1:0", "--origin", "https://elsewhere.example", "--log-level", "silent"],
  ]);
  const browser = await openChromium({
    viewport: { width: 1440, height: 900 },
    args: ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"],
  });
  t.teardown(() => browser.close());
  const { page } = browser;
  const problems: string[] = [];
  page.on("pageerror", ({ message }) => problems.push(message));
  page.on("console", (message) => {
    // A server that is away is not the page's fault.
    if (
      message.type() === "error" &&
      !/net::|Failed to load resource|WebSocket|WebTransport/.test(message.text())
    )
      problems.push(message.text());
  });
  const pageUrl = listening.pageUrl!;
  await page.goto(pageUrl);
  return { browser, page, server, listening: { ...listening, pageUrl }, problems };
}

/** Less to do in each second, and more time for it: for steps that are about something else, on a busy machine as well. */
export async function takeItEasy(page: Page): Promise<void> {
  await setRange(page, "deadlineMs", 500);
  await setRange(page, "framesPerSecond", 8);
}
