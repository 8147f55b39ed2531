// Processes of a run: each has an event loop of its own, and ends with this one.
import { execFileSync, fork, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
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

/** Keeps all threads of a process on these cores, and those that it starts later. */
function pin(pid, cpus) {
  if (cpus) execFileSync("taskset", ["-a", "-p", "-c", cpus, String(pid)], { stdio: "ignore" });
}

/** Gives all threads of a process, and those that it starts later, only what others leave of the processors. */
function makeIdle(pid) {
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
  const child = track(
    spawn(process.execPath, [...nodeOptions, sluice, ...args], { stdio: ["ignore", "pipe", "inherit"] }),
  );
  const [line] = await Promise.race([
    once(createInterface({ input: child.stdout }), "line"),
    once(child, "exit").then(() => Promise.reject(new Error("sluice serve has ended"))),
  ]);
  const { url, certHash, metricsUrl } = JSON.parse(line);
  pin(child.pid, cpus);
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
      await once(child, "exit");
    },
  };
}

/** One of the scripts here, started with the first message. @param how `isIdle`: it gets what others leave of the processors, once it is ready */
export async function start(script, options, { args = [], isIdle = false, cpus } = {}) {
  const child = track(fork(here(script), args));
  child.send(options);
  const [{ ready }] = await once(child, "message");
  pin(child.pid, cpus);
  if (isIdle) makeIdle(child.pid);
  return {
    ...{ child, ready },
    async run(window) {
      child.send(window);
      const [{ result }] = await once(child, "message");
      return result;
    },
    async end() {
      child.kill("SIGKILL");
      if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
    },
  };
}
