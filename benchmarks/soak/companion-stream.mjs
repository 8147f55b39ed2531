// `sluice stream` as anybody starts it, beside the campaign's own clients, and what it says of its frames.
import { spawn } from "node:child_process";
import process from "node:process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { createCaller } from "./channel.mjs";

const sluice = fileURLToPath(new URL("../../packages/cli/bin/sluice.js", import.meta.url));
const door = new URL("./inside-stream.mjs", import.meta.url).href;
/** It is told to end long before, unless the campaign was killed: then it ends by itself. */
const leastSeconds = 1_800;
/** Ctrl-C: 128 and the signal's number. */
const interruptedCode = 130;

/**
 * Resolves when it serves its metrics, with its session open.
 * @param {string[]} args of the kind of client
 * @param {{ url: string, certificateHash: string, deadlineMs: number, framesPerSecond: number,
 *   minutes: number }} target
 */
export async function openStreamCompanion(args, target) {
  const { url, certificateHash, deadlineMs, framesPerSecond, minutes } = target;
  const child = spawn(
    process.execPath,
    [
      ...["--expose-gc", "--import", door],
      ...[sluice, "stream", url, "--cert-hash", certificateHash, "--json", "--metrics", "127.0.0.1:0"],
      ...["--fps", String(framesPerSecond), "--deadline-ms", String(deadlineMs)],
      ...["--duration", String(Math.ceil(leastSeconds + 120 * minutes)), ...args],
    ],
    { stdio: ["ignore", "pipe", "pipe", "ipc"], detached: true },
  );
  const { call } = createCaller(child, "sluice stream");
  let report = "";
  child.stdout.setEncoding("utf8").on("data", (text) => {
    report += text;
  });
  const said = [];
  let heardUrl;
  const metricsUrl = new Promise((resolve) => {
    heardUrl = resolve;
  });
  createInterface({ input: child.stderr }).on("line", (line) => {
    said.push(line);
    said.splice(0, said.length - 20);
    const [, address] = /metrics at (\S+)/.exec(line) ?? [];
    if (address !== undefined) heardUrl(address);
  });
  const ended = new Promise((resolve) => {
    child.once("close", (code, signal) => resolve(signal ?? code));
  });
  const address = await Promise.race([
    metricsUrl,
    ended.then((how) => {
      throw new Error(`sluice stream has ended (${how}): ${said.join(" | ")}`);
    }),
  ]);
  return {
    ...{ child, ended, said },
    look: () => call("look"),
    async delivered() {
      const text = await (await fetch(address)).text();
      const counts = [...text.matchAll(/^sluice_frames_total\{outcome="delivered".*\} (\S+)$/gm)];
      return counts.reduce((sum, [, count]) => sum + Number(count), 0);
    },
    /** Ends it in order. @returns what became of its frames, and how the process has ended where that is wrong */
    async finish() {
      child.kill("SIGINT");
      const how = await ended;
      const failures =
        how === 0 || how === interruptedCode ? [] : [`it ended with ${how}: ${said.join(" | ")}`];
      return { frames: readFrames(report), failures };
    },
  };
}

/** The report's counts, under the names that all companions have. */
export function readFrames(report) {
  const line = report.trim().split("\n").at(-1);
  if (!line?.startsWith("{")) return undefined;
  const { offered, admitted, droppedAtGate, delivered, expired, onTime, corrupt, sessions, ...rest } =
    JSON.parse(line);
  const { dropReasons, expiryReasons } = rest;
  return {
    ...{ offered, admitted, dropped: droppedAtGate, delivered, expired, onTime, corrupt, sessions },
    ...{ dropReasons, expiryReasons },
  };
}
