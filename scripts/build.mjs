// Builds everything: code from the .proto files, kernels, then every package and its tests. Incremental.
import { spawnSync } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildKernels } from "./build-kernels.mjs";
import { install, setUpOrExit } from "./setup.mjs";
import { removeStaleOutputs } from "./stale-outputs.mjs";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");

function run(command, args) {
  const { status } = spawnSync(process.execPath, [command, ...args], { cwd: root, stdio: "inherit" });
  if (status !== 0) process.exit(status ?? 1);
}

await setUpOrExit(install);
removeStaleOutputs(root);
run("proto/generate.mjs", []);
await buildKernels(root);
run("node_modules/typescript/bin/tsc", ["--build", ...process.argv.slice(2)]);
run("packages/client/build-standalone.mjs", []);
run("services/demo/build-page.mjs", []);
