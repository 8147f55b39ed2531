// The checks that look at the sources without running them.
import { spawnSync } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");

const checks = [
  {
    name: "format and lint",
    args: [
      "node_modules/@biomejs/biome/bin/biome",
      "check",
      "--colors=off",
      "--error-on-warnings",
      "--max-diagnostics=10",
      ".",
    ],
  },
  { name: "dependency arrows", args: ["scripts/check-arrows.mjs"] },
  { name: "dependencies", args: ["scripts/audit.mjs", "--offline"] },
];

/** Runs the linter and the arrow check. @returns {{ name: string, ok: boolean, output: string }[]} */
export function runChecks() {
  return checks.map(({ name, args }) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: root, encoding: "utf8" });
    return { name, ok: status === 0, output: `${stdout ?? ""}${stderr ?? ""}`.trim() };
  });
}
