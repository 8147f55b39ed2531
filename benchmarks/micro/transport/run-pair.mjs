import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { createLineChannel } from "./line-channel.mjs";

const SCRIPT = fileURLToPath(new URL("peer-process.mjs", import.meta.url));
/** For starting, connecting and ending, beyond the time that a measure takes. */
const EXTRA_MS = 10_000;
const MAX_ERROR_CHARACTERS = 2000;

function startProcess({ command, runtimeArguments, carrier }) {
  const child = spawn(command, [...runtimeArguments, SCRIPT, carrier], { stdio: "pipe" });
  const waiting = new Map();
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text) => {
    stderr = (stderr + text).slice(-MAX_ERROR_CHARACTERS);
  });
  child.stdin.on("error", () => {});
  const wait = (id) => new Promise((resolve, reject) => waiting.set(id, { resolve, reject }));
  const failAll = (reason) => {
    for (const { reject } of waiting.values()) reject(new Error(reason));
    waiting.clear();
  };
  const channel = createLineChannel(child.stdout, child.stdin, ({ id, error, ...answer }) => {
    const waiter = waiting.get(id);
    waiting.delete(id);
    if (error === undefined) waiter?.resolve(answer);
    else waiter?.reject(new Error(error));
  });
  child.on("error", (error) => failAll(error.message));
  child.on("exit", (code, signal) => failAll(`a process ended with ${code ?? signal}: ${stderr.trim()}`));
  let lastId = 0;
  return {
    ready: wait(0),
    ask(name, fields = {}) {
      lastId += 1;
      const answer = wait(lastId);
      channel.send({ id: lastId, name, ...fields });
      return answer;
    },
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
      const ended = once(child, "exit");
      child.kill("SIGKILL");
      await ended;
    },
  };
}

async function runMeasure(server, client, half, parameters) {
  await Promise.all([server.ready, client.ready]);
  const { address } = await server.ask("listen", { half, parameters });
  const { unsupported } = await client.ask("connect", { half, address, parameters });
  if (unsupported !== undefined) return { unsupported };
  // The windows of both sides begin within the time that a line takes through a pipe.
  const [, driven] = await Promise.all([server.ask("begin"), client.ask("drive")]);
  const served = await server.ask("collect");
  return { client: driven.result, server: served.result };
}

/**
 * Runs one measure between two fresh processes, or within one for a peer that needs both ends in it, and ends them.
 * Resolves with what each side measured, with `unsupported`, or with `error`; never takes longer than its bound.
 */
export async function runPair(peer, half, parameters) {
  const server = startProcess(peer);
  const client = peer.isOneProcess ? server : startProcess(peer);
  let timer;
  const boundMs = parameters.warmUpMs + parameters.seconds * 1000 + EXTRA_MS;
  const late = new Promise((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`not done after ${boundMs} ms`)), boundMs);
  });
  const measured = runMeasure(server, client, half, parameters);
  // A failure after the bound has been told already.
  measured.catch(() => {});
  try {
    return await Promise.race([measured, late]);
  } catch (error) {
    return { error: error.message };
  } finally {
    clearTimeout(timer);
    await Promise.all([...new Set([server, client])].map((side) => side.stop()));
  }
}
