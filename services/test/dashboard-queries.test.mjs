// Every query of every dashboard, by a real Prometheus that scrapes a real server and a real client with work to do.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import t from "tap";
import { dashboards } from "../grafana/source/dashboards.mjs";
import { findProgram } from "./find-program.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));
const sluice = join(root, "packages/cli/bin/sluice.js");
const prometheus = findProgram("prometheus");
const limitMs = 120_000;

/** Starts a program that ends with the test; resolves with the first line of stdout that `accepts` takes. */
function start(t, command, args) {
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"] });
  let errors = "";
  child.stderr.on("data", (text) => {
    errors += text;
  });
  t.teardown(async () => {
    if (child.exitCode !== null) return;
    child.kill("SIGKILL");
    await once(child, "exit");
  });
  const line = async (accepts) => {
    for await (const text of createInterface(child.stdout)) if (accepts(text)) return text;
    throw new Error(`${args[0]} ended before it was ready: ${errors}`);
  };
  return { child, line, errors: () => errors };
}

async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}

/** The configuration that is delivered, with the targets of this test and scraped more often. */
function writeConfig(t, targets) {
  const folder = mkdtempSync(join(tmpdir(), "sluice-prometheus-"));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  symlinkSync(join(root, "services/prometheus/rules"), join(folder, "rules"));
  let text = readFileSync(join(root, "services/prometheus/prometheus.yml"), "utf8");
  for (const [from, to] of Object.entries({ ...targets, "interval: 5s": "interval: 1s" })) {
    if (!text.includes(from)) throw new Error(`the configuration has no ${from}`);
    text = text.replaceAll(from, to);
  }
  writeFileSync(join(folder, "prometheus.yml"), text);
  return folder;
}

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
    const server = start(t, process.execPath, [
      ...[sluice, "serve", "--listen", "127.0.0.1:0", "--metrics", "127.0.0.1:0", "--json"],
    ]);
    const listening = JSON.parse(await server.line((text) => text.includes('"listening"')));
    const relay = start(t, process.execPath, [
      ...[sluice, "relay", "--listen", "127.0.0.1:0", "--target", new URL(listening.url).host],
      ...["--delay", "10ms", "--loss", "5%", "--burst", "3", "--json"],
    ]);
    const { address } = JSON.parse(await relay.line((text) => text.startsWith("{")));
    const [clientPort, prometheusPort] = [await freePort(), await freePort()];
    const client = start(t, process.execPath, [
      ...[sluice, "stream", `https://${address}`, "--cert-hash", listening.certHash, "--duration", "600"],
      ...["--fec", "rs:max=15", "--min-received", "50", "--metrics", `127.0.0.1:${clientPort}`],
    ]);
    const folder = writeConfig(t, {
      "server:9464": new URL(listening.metricsUrl).host,
      "load:9465": `127.0.0.1:${clientPort}`,
      "localhost:9090": `127.0.0.1:${prometheusPort}`,
    });
    const origin = `http://127.0.0.1:${prometheusPort}`;
    const monitor = start(t, prometheus, [
      `--config.file=${folder}/prometheus.yml`,
      `--storage.tsdb.path=${folder}/data`,
      `--web.listen-address=127.0.0.1:${prometheusPort}`,
    ]);

    const faults = new Map(queries.map(({ name, expr }) => [name, { expr, fault: "not asked yet" }]));
    const endMs = Date.now() + limitMs;
    while (faults.size > 0 && Date.now() < endMs) {
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      for (const [name, entry] of faults) {
        entry.fault = await findFault(origin, entry.expr).catch((error) => error.message);
        if (entry.fault === undefined) faults.delete(name);
      }
      if (client.child.exitCode !== null || monitor.child.exitCode !== null) break;
    }
    t.equal(client.child.exitCode, null, client.errors());
    t.equal(monitor.child.exitCode, null, monitor.errors());
    for (const { name } of queries) t.notOk(faults.get(name)?.fault, name);
  },
);
