/** The demo's page in Chromium when its network changes: UDP blocked, two tabs, a server that stops and starts. */
import { noChromium } from "@sluice/chromium-test";
import t from "tap";
import {
  deliveredOf,
  moreResults,
  openDemo,
  screenshots,
  setRange,
  takeItEasy,
  text,
  until,
  untilText,
} from "./demo-browser.js";
import { startServer } from "./start-server.js";

t.test("the demo's page and its network", { skip: noChromium, timeout: 170_000 }, async (t) => {
  const { browser, page, server, listening, problems } = await openDemo(t);
  const { pageUrl, url } = listening;
  await takeItEasy(page);
  await moreResults(page);

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
    await other.goto(pageUrl);
    await setRange(other, "lossPercent", 0);
    // What comes late is concealed, too.
    await takeItEasy(other);
    await moreResults(other);
    await untilText(other, "received-caption", "nothing was lost");
    await setRange(page, "lossPercent", 30);
    await until(page, `/[1-9][\\d.]* % lost/.test(document.getElementById("received-caption").textContent)`);
    await moreResults(other, 5);
    await untilText(other, "received-caption", "nothing was lost");
    t.pass("what one page sets is not the other's");
    await other.close();
    await setRange(page, "lossPercent", 3);
  });

  await t.test("the server stops and starts again", async (t) => {
    server.kill("SIGTERM");
    await server.ended;
    await untilText(page, "connection", "no connection");
    const before = await deliveredOf(page);
    await startServer(t, [
      "--demo",
      new URL(pageUrl).host,
      "--listen",
      new URL(url).host,
      "--log-level",
      "silent",
    ]);
    await untilText(page, "connection", "connected");
    await moreResults(page);
    t.ok((await deliveredOf(page)) > before);
  });

  t.strictSame(problems, [], "no errors in the page");
});
