// Proves that the arrows between the packages point one way:
//
//   inference-server -> cli, fails-quiche -> services -> client, server, inference, http3, metrics,
//     tracing, conformance -> codec, concealment, protocol, transport, simnet -> tensor, proto
//
// A package imports from lower ranks only, declares what it imports, and has no cycle between its own files. The
// pure packages know neither Node nor the DOM. Run without arguments; one line for each offence, exit code 1.
import { readdirSync, readFileSync, realpathSync } from "node:fs";
import { isBuiltin } from "node:module";
import { dirname, join, posix } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import ts from "typescript";

/** Names without the scope. What else is under services/ has the rank below the command line. */
const RANKS = new Map([
  ...["proto", "tensor", "chromium-test"].map((name) => [name, 0]),
  ...["codec", "concealment", "protocol", "transport", "simnet"].map((name) => [name, 1]),
  ...["client", "server", "inference", "http3", "metrics", "tracing", "conformance"].map((name) => [name, 2]),
  ...["cli", "fails-quiche"].map((name) => [name, 4]),
  ["inference-server", 5],
]);
const SERVICE_RANK = 3;
const PURE = new Set(["protocol", "tensor", "codec", "concealment", "transport"]);
const SCOPE = "@sluice/";
const SOURCE = /\.[cm]?[jt]sx?$/;

/** The package of a bare import: `@scope/name/sub` is `@scope/name`, `name/sub` is `name`. */
function packageOf(specifier) {
  return specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");
}

function rankOf(pkg) {
  const named = RANKS.get(pkg.name.replace(SCOPE, ""));
  return named ?? (pkg.directory.startsWith("services/") ? SERVICE_RANK : undefined);
}

/** Groups a map of files by the directories that hold a package.json. */
function collectPackages(files, offences) {
  const packages = [];
  for (const [path, text] of files) {
    const match = /^((?:packages|services)\/[^/]+|proto)\/package\.json$/.exec(path);
    if (match === null) continue;
    let manifest;
    try {
      manifest = JSON.parse(text);
    } catch (error) {
      offences.push(`${path}: ${error.message}`);
      continue;
    }
    const directory = match[1];
    packages.push({
      directory,
      name: manifest.name ?? directory,
      runtime: new Set(
        ["dependencies", "optionalDependencies", "peerDependencies"].flatMap((key) =>
          Object.keys(manifest[key] ?? {}),
        ),
      ),
      development: new Set(Object.keys(manifest.devDependencies ?? {})),
      sources: [...files.keys()].filter((file) => file.startsWith(`${directory}/src/`) && SOURCE.test(file)),
    });
  }
  return packages;
}

/** The file that a relative import means: `./a.js` in TypeScript is `./a.ts`. */
function resolveRelative(from, specifier, files) {
  const path = posix.normalize(posix.join(posix.dirname(from), specifier));
  const candidates = [
    path.replace(/\.([cm]?)js$/, ".$1ts"),
    path.replace(/\.js$/, ".tsx"),
    path,
    `${path}.ts`,
    `${path}/index.ts`,
  ];
  return { path, file: candidates.find((candidate) => files.has(candidate)) };
}

/** Every cycle that a depth-first walk closes, as the list of its files with the first one repeated. */
export function findCycles(edges) {
  const cycles = [];
  const finished = new Set();
  for (const root of edges.keys()) {
    if (finished.has(root)) continue;
    const path = [root];
    const onPath = new Set(path);
    const iterators = [(edges.get(root) ?? new Set()).values()];
    while (path.length > 0) {
      const next = iterators[iterators.length - 1].next();
      if (next.done) {
        const file = path.pop();
        iterators.pop();
        onPath.delete(file);
        finished.add(file);
      } else if (onPath.has(next.value)) {
        cycles.push([...path.slice(path.indexOf(next.value)), next.value]);
      } else if (!finished.has(next.value)) {
        path.push(next.value);
        onPath.add(next.value);
        iterators.push((edges.get(next.value) ?? new Set()).values());
      }
    }
  }
  return cycles;
}

/** Checks that `pkg` may depend on the workspace package `target`; says why not. */
function checkRank(pkg, target, where, offences) {
  const own = rankOf(pkg);
  const other = rankOf(target);
  if (own === undefined || other === undefined || pkg === target) return;
  if (other < own) return;
  const why = other === own ? `of the same rank ${own}` : `rank ${other} is above rank ${own}`;
  offences.push(`${where}: ${pkg.name} must not depend on ${target.name} (${why})`);
}

function checkSource(pkg, file, context) {
  const { files, byName, offences, edges } = context;
  const info = ts.preProcessFile(files.get(file), true, true);
  const pure = PURE.has(pkg.name.replace(SCOPE, ""));
  if (pure) {
    for (const { fileName } of info.typeReferenceDirectives) {
      offences.push(`${file}: a pure package must not reference the types "${fileName}"`);
    }
    for (const { fileName } of info.libReferenceDirectives) {
      offences.push(`${file}: a pure package must not reference the lib "${fileName}"`);
    }
  }
  const targets = new Set();
  edges.set(file, targets);
  for (const specifier of new Set(info.importedFiles.map(({ fileName }) => fileName))) {
    if (specifier.startsWith(".")) {
      const { path, file: target } = resolveRelative(file, specifier, files);
      if (!path.startsWith(`${pkg.directory}/`)) offences.push(`${file}: "${specifier}" leaves the package`);
      else if (target !== undefined) targets.add(target);
    } else if (isBuiltin(specifier)) {
      if (pure) offences.push(`${file}: a pure package must not import the Node builtin "${specifier}"`);
    } else if (!specifier.startsWith("#")) {
      const name = packageOf(specifier);
      if (name === pkg.name) offences.push(`${file}: imports its own package by name; use a relative path`);
      else if (!pkg.runtime.has(name)) {
        offences.push(
          `${file}: imports "${name}", which is not in the dependencies of ${pkg.directory}/package.json`,
        );
      }
      const target = byName.get(name);
      if (target !== undefined) checkRank(pkg, target, file, offences);
      else if (name.startsWith(SCOPE)) offences.push(`${file}: "${name}" is no package of this workspace`);
    }
  }
}

/** Reads a tsconfig; comments are allowed, as TypeScript allows them. */
function readConfig(path, files, offences) {
  const text = files.get(path);
  if (text === undefined) return undefined;
  const { config, error } = ts.parseConfigFileTextToJson(path, text);
  if (error !== undefined)
    offences.push(`${path}: ${ts.flattenDiagnosticMessageText(error.messageText, " ")}`);
  return error === undefined ? config : undefined;
}

/** A compiler option, looked up through `extends` as far as that stays in the workspace. */
function compilerOption(path, name, context, depth = 0) {
  const config = readConfig(path, context.files, []);
  const own = config?.compilerOptions?.[name];
  if (own !== undefined || typeof config?.extends !== "string" || depth > 8) return own;
  return compilerOption(posix.join(posix.dirname(path), config.extends), name, context, depth + 1);
}

/** Each workspace dependency that TypeScript builds must be a reference of the tsconfig. */
function checkReferences(pkg, path, dependencies, context) {
  const { files, byName, offences } = context;
  const config = readConfig(path, files, offences);
  if (config === undefined) return;
  const references = new Set(
    (config.references ?? []).map((reference) =>
      posix.join(posix.dirname(path), reference.path).replace(/\/$/, ""),
    ),
  );
  for (const name of dependencies) {
    const target = byName.get(name);
    if (target === undefined || target === pkg || !files.has(`${target.directory}/tsconfig.json`)) continue;
    if (!references.has(target.directory))
      offences.push(`${path}: references lack ${target.directory}, a dependency`);
  }
}

function checkPurity(pkg, context) {
  const path = `${pkg.directory}/tsconfig.json`;
  const types = compilerOption(path, "types", context);
  if (!Array.isArray(types) || types.length > 0) {
    context.offences.push(
      `${path}: a pure package needs "types": [], not ${JSON.stringify(types) ?? "the default"}`,
    );
  }
  const lib = compilerOption(path, "lib", context);
  // Without "lib" TypeScript takes its default, which has the DOM in it.
  if (!Array.isArray(lib) || lib.some((entry) => /^(dom|webworker|scripthost)/i.test(entry))) {
    context.offences.push(
      `${path}: a pure package needs a "lib" without the DOM, not ${JSON.stringify(lib) ?? "the default"}`,
    );
  }
}

/**
 * Checks a workspace given as a map from path (relative to its root, with `/`) to text: the package.json, tsconfig.json
 * and src/ of packages/*, services/* and proto, and the tsconfig.base.json that they extend.
 * @param {ReadonlyMap<string, string>} files
 * @returns {string[]} one line for each offence, sorted; empty when all is well.
 */
export function checkArrows(files) {
  const offences = [];
  const packages = collectPackages(files, offences);
  const byName = new Map(packages.map((pkg) => [pkg.name, pkg]));
  for (const pkg of packages) {
    const edges = new Map();
    const context = { files, byName, offences, edges };
    const manifest = `${pkg.directory}/package.json`;
    if (rankOf(pkg) === undefined)
      offences.push(`${manifest}: ${pkg.name} has no rank in scripts/check-arrows.mjs`);
    for (const name of pkg.runtime) {
      const target = byName.get(name);
      if (target !== undefined) checkRank(pkg, target, manifest, offences);
    }
    for (const file of pkg.sources) checkSource(pkg, file, context);
    for (const cycle of findCycles(edges)) {
      offences.push(
        `${cycle[0]}: cycle ${cycle.map((file) => file.slice(pkg.directory.length + 1)).join(" -> ")}`,
      );
    }
    checkReferences(pkg, `${pkg.directory}/tsconfig.json`, pkg.runtime, context);
    checkReferences(pkg, `${pkg.directory}/test/tsconfig.json`, pkg.development, context);
    if (PURE.has(pkg.name.replace(SCOPE, ""))) checkPurity(pkg, context);
  }
  return [...new Set(offences)].sort();
}

/** Reads from disk what {@link checkArrows} looks at. */
export function readWorkspace(root) {
  const files = new Map();
  const add = (path) => files.set(path, readFileSync(join(root, path), "utf8"));
  const list = (path) => {
    try {
      return readdirSync(join(root, path), { withFileTypes: true });
    } catch (error) {
      if (error.code === "ENOENT" || error.code === "ENOTDIR") return [];
      throw error;
    }
  };
  const addTree = (path) => {
    for (const entry of list(path)) {
      const child = `${path}/${entry.name}`;
      if (entry.isDirectory() && entry.name !== "node_modules") addTree(child);
      else if (entry.isFile() && SOURCE.test(entry.name)) add(child);
    }
  };
  const directories = ["packages", "services"].flatMap((parent) =>
    list(parent).flatMap((entry) => (entry.isDirectory() ? [`${parent}/${entry.name}`] : [])),
  );
  for (const entry of list(".")) if (/^tsconfig.*\.json$/.test(entry.name)) add(entry.name);
  for (const directory of ["proto", ...directories]) {
    for (const entry of list(directory)) {
      if (entry.isFile() && /^(package|tsconfig.*)\.json$/.test(entry.name))
        add(`${directory}/${entry.name}`);
    }
    for (const entry of list(`${directory}/test`)) {
      if (entry.name === "tsconfig.json") add(`${directory}/test/${entry.name}`);
    }
    addTree(`${directory}/src`);
  }
  return files;
}

function main() {
  const files = readWorkspace(join(dirname(fileURLToPath(import.meta.url)), ".."));
  const offences = checkArrows(files);
  for (const offence of offences) console.error(offence);
  const manifests = [...files.keys()].filter((path) => path.endsWith("/package.json")).length;
  const sources = [...files.keys()].filter((path) => SOURCE.test(path)).length;
  // An empty workspace must not pass as a sound one.
  if (sources === 0) console.error("no source files found");
  if (offences.length > 0 || sources === 0) process.exitCode = 1;
  else console.log(`arrows: ${manifests} packages, ${sources} source files, no offence`);
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(realpathSync(process.argv[1])).href)
  main();
