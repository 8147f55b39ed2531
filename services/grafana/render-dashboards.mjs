// node services/grafana/render-dashboards.mjs [--seconds 90] [--out DIR]: pictures of the dashboards without Grafana.
//
// Starts server, lossy network, client and Prometheus, lets them work, asks Prometheus each panel's queries over that time
// and draws what comes, with titles, units and legends as the panels have them: for looking at them, one PNG for each
// dashboard. It draws curves, numbers and heat maps by its own means, so it shows what a panel says, not how Grafana
// styles it. Needs prometheus and chromium.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { openChromium } from "../../packages/chromium-test/dist/index.js";
import { findProgram } from "../test/find-program.mjs";
import { startLoadedStack } from "../test/loaded-stack.mjs";
import { dashboards } from "./source/dashboards.mjs";
import { drawDashboard } from "./source/draw-dashboard.mjs";

const { values } = parseArgs({ options: { seconds: { type: "string" }, out: { type: "string" } } });
const seconds = Number(values.seconds ?? 90);
const out = values.out ?? "dashboards";
if (!(seconds >= 30 && seconds <= 3_600)) throw new RangeError("--seconds: a number from 30 to 3600");

const prometheus = findProgram("prometheus");
if (prometheus === undefined) throw new Error("prometheus is not installed (apt-get install prometheus)");

const stack = await startLoadedStack(prometheus);
try {
  console.log(`loading for ${seconds} s ...`);
  await new Promise((resolve) => setTimeout(resolve, seconds * 1_000));
  const faults = stack.faults();
  if (faults.length > 0) throw new Error(faults.join("\n"));
  const end = Date.now() / 1_000;
  const ask = async (expr) => {
    const query = new URLSearchParams({ query: expr, start: end - seconds + 5, end, step: 1 });
    const { status, error, data } = await (await fetch(`${stack.origin}/api/v1/query_range?${query}`)).json();
    if (status !== "success") throw new Error(`${expr}: ${error}`);
    return data.result;
  };
  mkdirSync(out, { recursive: true });
  const browser = await openChromium({ viewport: { width: 1500, height: 900 } });
  try {
    for (const [name, dashboard] of Object.entries(dashboards)) {
      const { html, empty } = await drawDashboard(dashboard, ask);
      writeFileSync(join(out, `${name}.html`), html);
      await browser.page.setContent(html);
      await browser.page.screenshot({ path: join(out, `${name}.png`), fullPage: true });
      console.log(`${join(out, name)}.png${empty.length > 0 ? `: empty: ${empty.join(", ")}` : ""}`);
    }
  } finally {
    await browser.close();
  }
} finally {
  await stack.close();
}
