import { spawnSync } from "node:child_process";

/** Where a program is, or `undefined`: its tests are then skipped by name. */
export function findProgram(name, environmentName = name.toUpperCase()) {
  const path = process.env[environmentName] ?? name;
  const { status, error } = spawnSync(path, ["--version"], { stdio: "ignore" });
  return error === undefined && status === 0 ? path : undefined;
}
