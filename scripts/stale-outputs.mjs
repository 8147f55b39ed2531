// The compiler leaves the outputs of deleted sources behind; a deleted test would go on running.
import { existsSync, readdirSync, rmSync } from "node:fs";
import { join, sep } from "node:path";

const output = /\.(?:js|d\.ts)(?:\.map)?$/;

function listFiles(directory) {
  if (!existsSync(directory)) return [];
  return readdirSync(directory, { recursive: true }).filter((path) => output.test(path));
}

/** The source of a file below a package's dist: dist/a.js is src/a.ts, dist/test/a.js is test/a.ts. */
function sourceOf(path) {
  const parts = path.replace(output, ".ts").split(sep);
  return parts[0] === "test" ? join(...parts) : join("src", ...parts);
}

/** Deletes what was compiled from sources that are gone. Returns the paths that it deleted. */
export function removeStaleOutputs(root) {
  const removed = [];
  const packages = join(root, "packages");
  for (const name of existsSync(packages) ? readdirSync(packages) : []) {
    const dist = join(packages, name, "dist");
    for (const path of listFiles(dist)) {
      if (existsSync(join(packages, name, sourceOf(path)))) continue;
      rmSync(join(dist, path));
      removed.push(join("packages", name, "dist", path));
    }
  }
  return removed;
}
