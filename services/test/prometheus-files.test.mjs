import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import t from "tap";
import { dashboards } from "../grafana/source/dashboards.mjs";
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
