import process from "node:process";
import { buildTunLink } from "../tun-link/build.mjs";
import { openTunPath, removeStaleNamespaces } from "../tun-link/open-tun-path.mjs";

/** So many paths that do not know each other. They go with `close`, also when the command is interrupted. */
export async function openTunPaths(count) {
  for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(1));
  const program = buildTunLink();
  removeStaleNamespaces();
  const all = [];
  const close = async () => {
    for (const path of all) await path.close();
  };
  try {
    while (all.length < count) all.push(await openTunPath(program));
  } catch (error) {
    await close();
    throw error;
  }
  return { all, close };
}
