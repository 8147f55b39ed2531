// Makes the checkout ready to run: checks Node, installs the dependencies, builds. Says nothing when nothing is to do.
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, realpathSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const stamp = join(root, "node_modules/.sluice-setup");
const oldestNode = 20;
/** A step that takes longer than this says so; shorter ones are not worth a line. */
const announceAfterMs = 1500;

/** Thrown when a step failed; the message holds what its tool wrote. */
export class SetUpError extends Error {
  name = "SetUpError";
}

/** Runs a program to its end with its output held back. @throws SetUpError with the output when it fails */
function runQuietly(step, command, args, options = {}) {
  return new Promise((resolve, reject) => {
    const output = [];
    const child = spawn(command, args, {
      cwd: root,
      stdio: ["ignore", "pipe", "pipe"],
      // No questions, no progress bars, and no leave asked before node_modules is changed.
      env: { ...process.env, CI: "true", NO_COLOR: "1", npm_config_update_notifier: "false" },
      ...options,
    });
    const announce = setTimeout(() => process.stderr.write(`sluice: ${step} ...\n`), announceAfterMs);
    child.stdout.on("data", (chunk) => output.push(chunk));
    child.stderr.on("data", (chunk) => output.push(chunk));
    child.on("error", (error) => {
      clearTimeout(announce);
      reject(new SetUpError(`${step}: cannot start ${command}: ${error.message}`));
    });
    child.on("close", (code, signal) => {
      clearTimeout(announce);
      if (code === 0) return resolve();
      const text = Buffer.concat(output).toString().trimEnd();
      reject(new SetUpError(`${text}\n${step} failed (${signal ?? `exit code ${code}`})`));
    });
  });
}

function checkNode() {
  const [major] = process.versions.node.split(".");
  if (Number(major) < oldestNode) {
    throw new SetUpError(`Node ${oldestNode} or newer is needed, this is ${process.versions.node}`);
  }
}

/** What decides about the contents of node_modules, as one hash. */
function dependencyHash() {
  const packages = ["packages", "services"].flatMap((parent) =>
    existsSync(join(root, parent))
      ? readdirSync(join(root, parent)).map((name) => `${parent}/${name}/package.json`)
      : [],
  );
  const files = [
    "pnpm-lock.yaml",
    "pnpm-workspace.yaml",
    ".npmrc",
    "package.json",
    "proto/package.json",
    "benchmarks/package.json",
  ];
  const hash = createHash("sha256").update(`${process.platform} ${process.arch}\n`);
  for (const file of [...files, ...packages.sort()]) {
    if (!existsSync(join(root, file))) continue;
    hash.update(`${file}\n`).update(readFileSync(join(root, file)));
  }
  return hash.digest("hex");
}

function isInstalled(hash) {
  const binary = join(root, "node_modules/.bin/sluice");
  return existsSync(stamp) && existsSync(binary) && readFileSync(stamp, "utf8") === hash;
}

/** The npx that belongs to the npm that runs us, else the one on the path. */
function npxCommand() {
  const script = process.env.npm_execpath && join(dirname(process.env.npm_execpath), "npx-cli.js");
  if (script && existsSync(script)) return { command: process.execPath, args: [script], shell: false };
  return { command: "npx", args: [], shell: process.platform === "win32" };
}

/** Installs the dependencies unless they are what the lock file says. */
export async function install() {
  checkNode();
  const hash = dependencyHash();
  if (isInstalled(hash)) return;
  const { packageManager } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const { command, args, shell } = npxCommand();
  await runQuietly(
    `installing dependencies with ${packageManager}`,
    command,
    [...args, "--yes", packageManager, "install", "--frozen-lockfile"],
    { shell },
  );
  writeFileSync(stamp, hash);
}

/** Installs and builds what is not up to date. @throws SetUpError */
export async function setUp() {
  await install();
  await runQuietly("building", process.execPath, ["scripts/build.mjs"]);
}

/** For scripts that can do nothing without it: reports a failure and ends the process. */
export async function setUpOrExit(prepare = setUp) {
  try {
    await prepare();
  } catch (error) {
    if (!(error instanceof SetUpError)) throw error;
    process.stderr.write(`${error.message.replace(/^/gm, "sluice: ")}\n`);
    process.exit(1);
  }
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(realpathSync(process.argv[1])).href) {
  await setUpOrExit();
}
