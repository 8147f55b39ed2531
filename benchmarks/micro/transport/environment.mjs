import { spawnSync } from "node:child_process";
import { availableParallelism, cpus, loadavg, release, totalmem } from "node:os";
import process from "node:process";
import { fileURLToPath } from "node:url";

const HERE = fileURLToPath(new URL(".", import.meta.url));

function git(...parameters) {
  const { stdout, status } = spawnSync("git", parameters, { cwd: HERE, encoding: "utf8" });
  return status === 0 ? stdout.trim() : undefined;
}

/** Load averages of 1, 5 and 15 minutes, as they are now. */
export const readLoad = () => loadavg().map((value) => Math.round(value * 100) / 100);

/** The machine and the code that a result belongs to. */
export function describeEnvironment() {
  // A machine may have the code without its history.
  const commit = git("rev-parse", "--short", "HEAD") ?? process.env.SLUICE_COMMIT ?? "unknown";
  const isChanged = (git("status", "--porcelain", "--", ":/packages") ?? "") !== "";
  return {
    date: new Date().toISOString(),
    node: process.version,
    cpu: cpus()[0]?.model.trim() ?? "unknown",
    cores: availableParallelism(),
    memoryBytes: totalmem(),
    kernel: release(),
    commit: isChanged ? `${commit}, with uncommitted changes in packages` : commit,
  };
}
