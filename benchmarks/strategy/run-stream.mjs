// `sluice serve`, a relay and `sluice stream`, all real and on loopback; the relay runs in this process, which does nothing else.
import { spawn } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { playTrace } from "../../packages/cli/dist/link-trace.js";
import { createRelay } from "../../packages/simnet/dist/index.js";
import { link } from "./scenario.mjs";

const SLUICE = fileURLToPath(new URL("../../packages/cli/bin/sluice.js", import.meta.url));

/** Starts a server of a model. */
export async function startServer(model) {
  const args = ["serve", "--listen", "127.0.0.1:0", "--metrics", "off", "--log-level", "error", "--json"];
  const child = spawn(process.execPath, [SLUICE, ...args, "--model", model], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = once(child, "exit").then(([code]) => {
    throw new Error(`the server ended with code ${code}`);
  });
  ended.catch(() => {});
  const [line] = await Promise.race([once(createInterface({ input: child.stdout }), "line"), ended]);
  const { url, certHash } = JSON.parse(line);
  return {
    ...{ certHash, port: Number(new URL(url).port) },
    async stop() {
      child.kill("SIGTERM");
      await ended.catch(() => {});
    },
  };
}

/**
 * Streams through a path that changes from the first frame on.
 * @param args of `sluice stream`, beside where to and how long
 * @returns the figures that it prints
 */
export async function runStream(server, args, { scenario, seed, signal }) {
  const relay = await createRelay({
    ...{ listen: { host: "127.0.0.1", port: 0 }, target: { host: "127.0.0.1", port: server.port } },
    ...{ up: link, down: link, seed },
  });
  const target = [`https://127.0.0.1:${relay.address.port}`, "--cert-hash", server.certHash];
  const child = spawn(
    process.execPath,
    [
      SLUICE,
      "stream",
      ...target,
      "--duration",
      String(scenario.totalSeconds),
      "--seed",
      String(seed),
      "--json",
      ...args,
    ],
    { stdio: ["ignore", "pipe", "pipe"] },
  );
  const abort = () => child.kill("SIGINT");
  signal.addEventListener("abort", abort);
  let stopTrace;
  let errors = "";
  createInterface({ input: child.stderr }).on("line", (line) => {
    errors = `${errors}\n${line}`.slice(-4_000);
    // Said once the streams are open, right before the first frame.
    if (line.includes("frames per second")) stopTrace ??= playTrace(scenario.steps, relay, () => {});
  });
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text) => {
    output += text;
  });
  try {
    const [code] = await once(child, "close");
    signal.throwIfAborted();
    if (output === "") throw new Error(`sluice stream ${args.join(" ")} ended with code ${code}:${errors}`);
    return JSON.parse(output);
  } finally {
    signal.removeEventListener("abort", abort);
    stopTrace?.();
    await relay.close();
  }
}
