// node services/grafana/make-dashboards.mjs: writes dashboards/*.json from source/dashboards.mjs.
import { writeFileSync } from "node:fs";
import { dashboards } from "./source/dashboards.mjs";

for (const [name, dashboard] of Object.entries(dashboards)) {
  writeFileSync(
    new URL(`dashboards/${name}.json`, import.meta.url),
    `${JSON.stringify(dashboard, null, 2)}\n`,
  );
}
