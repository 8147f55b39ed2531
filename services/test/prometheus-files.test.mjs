import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import t from "tap";
import { dashboards } from "../grafana/source/dashboards.mjs";
import { drawDashboard } from "../grafana/source/draw-dashboard.mjs";
import { formatUnit } from "../grafana/source/format-unit.mjs";
import { findProgram } from "./find-program.mjs";

const services = fileURLToPath(new URL("..", import.meta.url));
const promtool = findProgram("promtool");
const skip = promtool === undefined ? "promtool is not installed" : false;

function run(...args) {
  const { status, stdout, stderr } = spawnSync(promtool, args, { cwd: services, encoding: "utf8" });
  return { status, output: `${stdout}${stderr}` };
}

t.test("the configuration and its rules are sound", { skip }, async (t) => {
  const { status, output } = run("check", "config", "prometheus/prometheus.yml");
  t.equal(status, 0, output);
});

t.test("the rules do what they say", { skip }, async (t) => {
  for (const file of readdirSync(`${services}/prometheus/test`)) {
    const { status, output } = run("test", "rules", `prometheus/test/${file}`);
    t.equal(status, 0, output);
  }
});

t.test("the dashboards are what their source makes", async (t) => {
  const files = readdirSync(`${services}/grafana/dashboards`).sort();
  t.same(
    files,
    Object.keys(dashboards)
      .map((name) => `${name}.json`)
      .sort(),
  );
  for (const [name, dashboard] of Object.entries(dashboards)) {
    const made = JSON.parse(readFileSync(`${services}/grafana/dashboards/${name}.json`, "utf8"));
    t.same(
      made,
      JSON.parse(JSON.stringify(dashboard)),
      `${name}: run node services/grafana/make-dashboards.mjs`,
    );
    t.equal(new Set(dashboard.panels.map(({ title }) => title)).size, dashboard.panels.length);
    for (const { title, description } of dashboard.panels)
      t.ok(description, `${name}: ${title} says what it shows`);
  }
});

t.test("a dashboard is drawn from what Prometheus answers, and says which panels are empty", async (t) => {
  const [{ gridPos, targets }] = dashboards.late.panels;
  const ask = async (expr) =>
    expr.includes('stage="network"')
      ? [
          {
            metric: {},
            values: [
              [0, "0.02"],
              [1, "NaN"],
              [2, "0.04"],
            ],
          },
        ]
      : [];
  const { html, empty } = await drawDashboard(dashboards.late, ask);
  t.ok(targets.length > 1 && gridPos.w > 0);
  t.match(html, /network<\/td><td>40 ms<\/td><td>40 ms<\/td>/);
  t.same(
    empty,
    dashboards.late.panels.slice(1).map(({ title }) => title),
  );
  for (const { panels } of Object.values(dashboards)) {
    for (const { fieldConfig } of panels) {
      if (fieldConfig) t.ok(formatUnit(1_234.5, fieldConfig.defaults.unit), "a unit that can be drawn");
    }
  }
  t.strictSame(
    [
      [0.0123, "s"],
      [1_500_000, "bps"],
      [3 * 2 ** 20, "bytes"],
      [0.056, "percentunit"],
      [12.34, "suffix: frames/s"],
    ].map(([value, unit]) => formatUnit(value, unit)),
    ["12.3 ms", "1.5 Mb/s", "3 MiB", "5.6%", "12.3 frames/s"],
  );
});

t.test("the guide says what to do about every alert", async (t) => {
  const guide = readFileSync(`${services}/README.md`, "utf8");
  const rules = readFileSync(`${services}/prometheus/rules/alerts.yml`, "utf8");
  const alerts = [...rules.matchAll(/- alert: (\w+)/g)].map(([, name]) => name);
  t.ok(alerts.length > 5);
  t.same(
    alerts.filter((name) => !guide.includes(`| \`${name}\` |`)),
    [],
  );
});
