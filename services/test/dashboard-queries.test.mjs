// Every query of every dashboard, by a real Prometheus that scrapes a real server and a real client with work to do.
import t from "tap";
import { dashboards } from "../grafana/source/dashboards.mjs";
import { findProgram } from "./find-program.mjs";
import { startLoadedStack } from "./loaded-stack.mjs";

const prometheus = findProgram("prometheus");
const limitMs = 120_000;

const queries = Object.values(dashboards).flatMap(({ title, panels }) =>
  panels.flatMap((panel) =>
    panel.targets.map(({ expr }) => ({
      name: `${title} / ${panel.title}: ${expr}`,
      expr: expr.replaceAll("$instance", ".*"),
    })),
  ),
);

/** Why a query shows nothing, or `undefined`. */
async function findFault(origin, expr) {
  const answer = await fetch(`${origin}/api/v1/query?query=${encodeURIComponent(expr)}`);
  const { status, error, data } = await answer.json();
  if (status !== "success") return error;
  return data.result.some(({ value }) => Number.isFinite(Number(value[1]))) ? undefined : "no value";
}

t.test(
  "no panel of a loaded server is empty",
  { skip: prometheus === undefined ? "prometheus is not installed" : false, timeout: limitMs + 30_000 },
  async (t) => {
    const { origin, faults: ended, close } = await startLoadedStack(prometheus);
    t.teardown(close);
    const faults = new Map(queries.map(({ name, expr }) => [name, { expr, fault: "not asked yet" }]));
    const endMs = Date.now() + limitMs;
    while (faults.size > 0 && Date.now() < endMs && ended().length === 0) {
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      for (const [name, entry] of faults) {
        entry.fault = await findFault(origin, entry.expr).catch((error) => error.message);
        if (entry.fault === undefined) faults.delete(name);
      }
    }
    t.strictSame(ended(), []);
    for (const { name } of queries) t.notOk(faults.get(name)?.fault, name);
  },
);
