// A server with work to do, watched by a real Prometheus with the configuration that is delivered: for the test of the
// dashboards' queries and for looking at their panels.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));
const sluice = join(root, "packages/cli/bin/sluice.js");

/** Starts a program; `line` resolves with the first line of stdout that `accepts` takes. */
function start(command, args) {
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"] });
  let errors = "";
  child.stderr.on("data", (text) => {
    errors = (errors + text).slice(-8_000);
  });
  return {
    ...{ child, errors: () => errors },
    async line(accepts) {
      for await (const text of createInterface(child.stdout)) if (accepts(text)) return text;
      throw new Error(`${args[0]} ended before it was ready: ${errors}`);
    },
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill("SIGKILL");
      await once(child, "exit");
    },
  };
}

async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}

/** The configuration that is delivered, with these targets and scraped more often. */
function writeConfig(folder, targets) {
  symlinkSync(join(root, "services/prometheus/rules"), join(folder, "rules"));
  let text = readFileSync(join(root, "services/prometheus/prometheus.yml"), "utf8");
  for (const [from, to] of Object.entries({ ...targets, "interval: 5s": "interval: 1s" })) {
    if (!text.includes(from)) throw new Error(`the configuration has no ${from}`);
    text = text.replaceAll(from, to);
  }
  writeFileSync(join(folder, "prometheus.yml"), text);
}

/**
 * Starts server, lossy network, client and Prometheus.
 * @returns {Promise<{ origin: string, faults(): string[], close(): Promise<void> }>} where Prometheus answers, and what
 *   has ended that should not have
 */
export async function startLoadedStack(prometheus) {
  const folder = mkdtempSync(join(tmpdir(), "sluice-prometheus-"));
  const running = [];
  const begin = (...command) => {
    const one = start(...command);
    running.push(one);
    return one;
  };
  const close = async () => {
    await Promise.all(running.map((one) => one.stop()));
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    const server = begin(process.execPath, [
      ...[sluice, "serve", "--listen", "127.0.0.1:0", "--metrics", "127.0.0.1:0", "--json"],
    ]);
    const listening = JSON.parse(await server.line((text) => text.includes('"listening"')));
    const relay = begin(process.execPath, [
      ...[sluice, "relay", "--listen", "127.0.0.1:0", "--target", new URL(listening.url).host],
      ...["--delay", "10ms", "--loss", "5%", "--burst", "3", "--json"],
    ]);
    const { address } = JSON.parse(await relay.line((text) => text.startsWith("{")));
    const [clientPort, prometheusPort] = [await freePort(), await freePort()];
    const client = begin(process.execPath, [
      ...[sluice, "stream", `https://${address}`, "--cert-hash", listening.certHash, "--duration", "600"],
      ...["--fec", "rs:max=15", "--min-received", "50", "--metrics", `127.0.0.1:${clientPort}`],
    ]);
    writeConfig(folder, {
      "server:9464": new URL(listening.metricsUrl).host,
      "load:9465": `127.0.0.1:${clientPort}`,
      "localhost:9090": `127.0.0.1:${prometheusPort}`,
    });
    const monitor = begin(prometheus, [
      `--config.file=${folder}/prometheus.yml`,
      `--storage.tsdb.path=${folder}/data`,
      `--web.listen-address=127.0.0.1:${prometheusPort}`,
    ]);
    return {
      origin: `http://127.0.0.1:${prometheusPort}`,
      faults: () =>
        Object.entries({ server, relay, client, prometheus: monitor })
          .filter(([, { child }]) => child.exitCode !== null)
          .map(([name, { errors }]) => `${name} ended: ${errors()}`),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}
