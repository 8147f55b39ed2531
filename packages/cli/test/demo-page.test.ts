/** The demo's page in Chromium: what it shows, and each of its controls. */
import { noChromium } from "@sluice/chromium-test";
import t from "tap";
import {
  moreResults,
  openDemo,
  screenshots,
  setRange,
  takeItEasy,
  text,
  until,
  untilText,
} from "./demo-browser.js";

t.test("the demo's page", { skip: noChromium, timeout: 170_000 }, async (t) => {
  const { page, problems } = await openDemo(t);

  await t.test("from its load to a steady stream through 3 % loss", async (t) => {
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

  await takeItEasy(page);

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

  t.strictSame(problems, [], "no errors in the page");
});
