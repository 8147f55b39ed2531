/** The demo's page in Chromium, against `sluice serve --demo`. Screenshots stay in dist/test/screenshots. */
import { mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { noChromium, openChromium, type TestBrowser } from "@sluice/chromium-test";
import t from "tap";
import { startServer } from "./start-server.js";

type Page = TestBrowser["page"];

const screenshots = fileURLToPath(new URL("screenshots/", import.meta.url));
/** Long enough for a machine that has much else to do; nothing is decided by it. */
const patience = { timeout: 60_000 };

/** Waits until an expression of the page is true. */
const until = (page: Page, expression: string) => page.waitForFunction(expression, undefined, patience);
const text = (page: Page, id: string) => page.locator(`#${id}`).textContent();
const deliveredOf = async (page: Page) => Number(await page.locator("#flow").getAttribute("data-delivered"));

/** Waits for so many more results. */
async function moreResults(page: Page, count = 10): Promise<void> {
  const wanted = (await deliveredOf(page)) + count;
  await until(page, `Number(document.getElementById("flow").dataset.delivered) >= ${wanted}`);
}

const untilText = (page: Page, id: string, part: string) =>
  until(page, `document.getElementById(${JSON.stringify(id)}).textContent.includes(${JSON.stringify(part)})`);

async function setRange(page: Page, name: string, value: number): Promise<void> {
  await page.locator(`[name=${name}]`).evaluate(`(input) => {
    input.value = ${value};
    input.dispatchEvent(new Event("input", { bubbles: true }));
  }`);
}

t.test("the demo's page", { skip: noChromium, timeout: 170_000 }, async (t) => {
  mkdirSync(screenshots, { recursive: true });
  const [server, { pageUrl, url }] = await startServer(t, ["--demo", "127.0.0.1:0", "--log-level", "silent"]);
  const address = new URL(pageUrl!).host;
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

  await t.test("from its load to a steady stream through 3 % loss", async (t) => {
    await page.goto(pageUrl!);
    await until(page, `Number(document.getElementById("flow").dataset.delivered) >= 60`);
    t.equal(await text(page, "connection"), "connected");
    t.equal(await text(page, "transport"), "datagrams over HTTP/3");
    await untilText(page, "received-caption", "% lost");
    t.match(await text(page, "sent-caption"), "64 × 14 × 14 elements");
    await until(page, `document.getElementById("tile-accuracy").textContent.includes("%")`);
    t.match(await text(page, "prediction-caption"), /(right|wrong|concealed).* · ran cut in two/);
    t.match(
      await text(page, "setup"),
      /model fashion, 10 classes · first half by onnxruntime-web, wasm · quantize/,
    );
    for (const [width, height] of [
      [390, 844],
      [820, 1180],
      [1440, 900],
    ] as const) {
      for (const colorScheme of ["light", "dark"] as const) {
        await page.setViewportSize({ width, height });
        await page.emulateMedia({ colorScheme });
        await page.screenshot({ path: `${screenshots}${width}-${colorScheme}.png`, fullPage: true });
        t.equal(
          await page.evaluate("document.documentElement.scrollWidth <= innerWidth"),
          true,
          `${width} px are enough`,
        );
      }
    }
  });

  await t.test("each control", async (t) => {
    for (const codec of [
      "quantize:levels=8,clip=3",
      "sluice",
      "quantize:levels=256,clip=4 | tile | jpeg:quality=60",
    ]) {
      await page.selectOption("[name=codec]", codec);
      await untilText(page, "setup", codec.split(/[:,]/)[0] === "sluice" ? "sluice" : codec.slice(0, 19));
      await moreResults(page);
    }
    await page.selectOption("[name=fec]", "rs:max=50");
    await page.selectOption("[name=concealment]", "zero");
    await moreResults(page);
    const cut = await page.locator("[name=cut] option").last().getAttribute("value");
    await page.selectOption("[name=cut]", cut);
    await moreResults(page);
    for (const [strategy, ran] of [
      ["client", "ran here"],
      ["server", "ran at the server"],
      ["auto", "ran "],
    ] as const) {
      await page.selectOption("[name=strategy]", strategy);
      await untilText(page, "prediction-caption", ran);
      await moreResults(page);
    }
    await page.selectOption("[name=strategy]", "shared");
    await page.selectOption("[name=rateBitsPerSecond]", "20000000");
    for (const [name, value] of [
      ["delayMs", 5],
      ["burst", 3],
      ["lossPercent", 1],
      ["deadlineMs", 400],
      ["framesPerSecond", 20],
    ] as const) {
      await setRange(page, name, value);
      t.match(await page.locator(`label:has([name=${name}]) output`).textContent(), String(value));
    }
    await moreResults(page);
    t.equal(await page.locator("#notice").isHidden(), true, "and nothing was wrong with any");
  });

  await t.test("camera and drawing, with the keyboard", async (t) => {
    await page.locator("input[value=camera]").check({ force: true });
    await untilText(page, "picture-caption", "your camera");
    await moreResults(page);
    await page.locator("input[value=drawing]").check({ force: true });
    await untilText(page, "picture-caption", "draw here");
    const lit = `(() => { const c = document.getElementById("picture");
      return c.getContext("2d").getImageData(0, 0, c.width, c.height).data.filter((v, i) => i % 4 === 0 && v > 128).length; })()`;
    await until(page, `${lit} === 0`);
    await page.locator("#drawing").focus();
    await page.keyboard.down("Space");
    for (let i = 0; i < 6; i++) await page.keyboard.press("ArrowDown");
    await page.keyboard.up("Space");
    await until(page, `${lit} > 4`);
    t.pass("it was drawn by keys");
    await page.locator("#clear").click();
    await until(page, `${lit} === 0`);
    await page.locator("input[value=clip]").check({ force: true });
    await page.locator("#theme").click();
    await page.locator("#theme").click();
    t.equal(await page.locator("html").getAttribute("data-theme"), "dark");
  });

  await t.test("UDP blocked and let through again", async (t) => {
    await page.locator("#flow").focus();
    await page.keyboard.press("b");
    await untilText(page, "transport", "WebSocket: no datagrams");
    t.match(await text(page, "notice"), /UDP may be blocked.*WebSocket.*delays everything behind it/);
    await moreResults(page);
    await page.screenshot({ path: `${screenshots}fallback.png` });
    await page.keyboard.press("b");
    await untilText(page, "transport", "datagrams over HTTP/3");
    t.equal(await page.locator("#notice").isHidden(), true);
    await moreResults(page);
  });

  await t.test("two tabs, each with a network of its own", async (t) => {
    const other = await browser.context.newPage();
    await other.goto(pageUrl!);
    await setRange(other, "lossPercent", 0);
    await moreResults(other, 30);
    await untilText(other, "received-caption", "nothing was lost");
    await setRange(page, "lossPercent", 30);
    await moreResults(page, 20);
    await until(page, `/[1-9][\\d.]* % lost/.test(document.getElementById("received-caption").textContent)`);
    await moreResults(other, 20);
    t.equal(await text(other, "received-caption"), "nothing was lost");
    await other.close();
    await setRange(page, "lossPercent", 3);
  });

  await t.test("the server stops and starts again", async (t) => {
    server.kill("SIGTERM");
    await server.ended;
    await untilText(page, "connection", "no connection");
    const before = await deliveredOf(page);
    await startServer(t, ["--demo", address, "--listen", new URL(url).host, "--log-level", "silent"]);
    await untilText(page, "connection", "connected");
    await moreResults(page);
    t.ok((await deliveredOf(page)) > before);
  });

  t.strictSame(problems, [], "no errors in the page");
});
