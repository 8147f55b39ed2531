import { spawn } from "node:child_process";
import { once } from "node:events";
import { createLineChannel } from "./line-channel.mjs";

const MAX_ERROR_CHARACTERS = 2000;

/**
 * Starts a process that reads commands as JSON lines and answers each with a line: `ready` when its first line (`id` 0)
 * has come, `ask` for one command, `stop` to end it.
 */
export function startProcess(command, parameters) {
  const child = spawn(command, parameters, { stdio: "pipe" });
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
