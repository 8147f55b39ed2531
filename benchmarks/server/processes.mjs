// Processes of a run: each has an event loop of its own, and ends with this one.
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import process from "node:process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const here = (name) => fileURLToPath(new URL(name, import.meta.url));
const sluice = here("../../packages/cli/bin/sluice.js");
const running = new Set();

function track(child) {
  running.add(child);
  child.once("exit", () => running.delete(child));
  return child;
}

/** Ends whatever is still there. */
export function endAll() {
  for (const child of running) child.kill("SIGKILL");
}

/** Starts Node on these cores from the beginning: it starts as many threads as it finds cores. */
function startNode(args, cpus, stdio) {
  const command = [...(cpus ? ["taskset", "-c", cpus] : []), process.execPath, ...args];
  return track(spawn(command[0], command.slice(1), { stdio }));
}

/** The first of what is waited for. @throws where the process ends before */
async function beforeItEnds(child, name, waited) {
  const over = new AbortController();
  const ended = once(child, "exit", over).then(() => Promise.reject(new Error(`${name} has ended`)));
  ended.catch(() => {});
  return Promise.race([waited, ended]).finally(() => over.abort());
}

/** Gives all threads of a process, and those that it starts later, only what others leave of the processors. */
export function makeIdle(pid) {
  execFileSync("chrt", ["-a", "--idle", "-p", "0", String(pid)], { stdio: "ignore" });
}

/** Milliseconds of the kernel's unit of processor time. */
const tickMs = 10;

/** Processor time of each thread of a process so far, in milliseconds. */
export function readCpu(pid) {
  const times = new Map();
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    const stat = readFileSync(`/proc/${pid}/task/${thread}/stat`, "utf8");
    // The name before it may hold anything (proc(5): utime and stime).
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    times.set(thread, (Number(fields[11]) + Number(fields[12])) * tickMs);
  }
  return times;
}

/** What was spent between two readings, by all threads and by the busiest one. */
export function spentSince(before, after) {
  const spent = [...after].map(([thread, ms]) => ms - (before.get(thread) ?? 0));
  return { totalMs: spent.reduce((sum, ms) => sum + ms, 0), busiestMs: Math.max(...spent) };
}

/** `sluice serve`, as anybody starts it. @param options `args` more of it, `nodeOptions` for a profile, `cpus` for taskset */
export async function startServer({ args: more = [], nodeOptions = [], cpus } = {}) {
  const args = [
    "serve",
    "--listen",
    "127.0.0.1:0",
    "--metrics",
    "127.0.0.1:0",
    "--log-level",
    "error",
    ...more,
  ];
  const child = startNode([...nodeOptions, sluice, ...args], cpus, ["ignore", "pipe", "inherit"]);
  const first = once(createInterface({ input: child.stdout }), "line");
  const [line] = await beforeItEnds(child, "sluice serve", first);
  const { url, certHash, metricsUrl } = JSON.parse(line);
  return {
    ...{ pid: child.pid, metricsUrl, url, certificateHash: certHash },
    /** Sums of the batches that its networks have run. */
    async readBatches() {
      const text = await (await fetch(`${metricsUrl}/metrics`)).text();
      const read = (name) => Number(new RegExp(`^${name} (.*)$`, "m").exec(text)?.[1]);
      return { frames: read("sluice_batch_frames_sum"), batches: read("sluice_batch_frames_count") };
    },
    async stop() {
      child.kill("SIGTERM");
      if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
    },
  };
}

/** One of the scripts here, started with the first message. @param how `isIdle`: it gets what others leave of the processors, once it is ready */
export async function start(script, options, { args = [], isIdle = false, cpus } = {}) {
  const child = startNode([here(script), ...args], cpus, ["inherit", "inherit", "inherit", "ipc"]);
  child.send(options);
  const [{ ready }] = await beforeItEnds(child, script, once(child, "message"));
  if (isIdle) makeIdle(child.pid);
  return {
    ...{ child, ready },
    async run(window) {
      child.send(window);
      const [{ result }] = await beforeItEnds(child, script, once(child, "message"));
      return result;
    },
    async end() {
      child.kill("SIGKILL");
      if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
    },
  };
}
