// Reads the manifests of what is installed.
import { existsSync, readdirSync, readFileSync, realpathSync } from "node:fs";
import { dirname, join } from "node:path";

const readJson = (path) => JSON.parse(readFileSync(path, "utf8"));

/**
 * The packages of the workspace, `[folder relative to root, manifest][]`, the root's own first.
 * @param patterns `packages` of pnpm-workspace.yaml: folders, and `FOLDER/*`
 */
export function readWorkspace(root, patterns) {
  const below = (folder) => readdirSync(join(root, folder)).map((name) => `${folder}/${name}`);
  const folders = patterns.flatMap((text) => (text.endsWith("/*") ? below(text.slice(0, -2)) : [text]));
  return [".", ...folders]
    .filter((folder) => existsSync(join(root, folder, "package.json")))
    .map((folder) => [folder, readJson(join(root, folder, "package.json"))]);
}

/** The package `name` as Node finds it from a folder, or `undefined`: optional, or for another system. */
function findPackage(folder, name) {
  for (let at = folder; ; at = dirname(at)) {
    const path = join(at, "node_modules", name);
    if (existsSync(join(path, "package.json"))) return realpathSync(path);
    if (at === dirname(at)) return undefined;
  }
}

/**
 * Manifests of everything that the workspace's packages need when they run, those of peers and optional ones that are
 * installed included, without the workspace's own.
 * @returns {{ packages: object[], direct: object[], absent: string[] }} `direct`: those that the workspace names
 */
export function readProduction(root, workspace) {
  const found = new Map();
  const direct = new Map();
  const absent = new Set();
  function visit(folder, manifest, isOurs) {
    const { dependencies, optionalDependencies, peerDependencies } = manifest;
    const wanted = { ...dependencies, ...optionalDependencies, ...(isOurs ? peerDependencies : {}) };
    for (const name of Object.keys(wanted)) {
      const path = findPackage(folder, name);
      if (path === undefined) {
        absent.add(name);
        continue;
      }
      if (!path.includes("node_modules")) continue; // another package of the workspace
      const below = found.get(path) ?? readJson(join(path, "package.json"));
      if (isOurs) direct.set(path, below);
      if (found.has(path)) continue;
      found.set(path, below);
      visit(path, below, false);
    }
  }
  for (const [folder, manifest] of workspace) {
    if (folder !== "." && !folder.startsWith("benchmarks")) visit(join(root, folder), manifest, true);
  }
  return { packages: [...found.values()], direct: [...direct.values()], absent: [...absent].sort() };
}

/** Manifests of everything that is installed, for development as well. */
export function readInstalled(root) {
  const store = join(root, "node_modules/.pnpm");
  const manifests = new Map();
  for (const entry of readdirSync(store)) {
    const modules = join(store, entry, "node_modules");
    if (!existsSync(modules)) continue;
    const names = readdirSync(modules).flatMap((name) =>
      name.startsWith("@") ? readdirSync(join(modules, name)).map((below) => `${name}/${below}`) : [name],
    );
    for (const name of names) {
      const path = join(modules, name, "package.json");
      if (existsSync(path)) manifests.set(realpathSync(path), path);
    }
  }
  return [...manifests.values()].map(readJson);
}
