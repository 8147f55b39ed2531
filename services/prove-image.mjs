// sudo node services/prove-image.mjs: builds the server's image without a Docker engine and uses it.
//
// The base image is made here by debootstrap, with Node and npm from the npm registry, so that nothing but Debian's
// archive and that registry is needed. The image is built by buildah from the Dockerfile as it is, and run by runc with
// its own entry point, command and user and with what the composition asks for: read-only root, no capabilities, no new
// privileges. It is asked for its health by its own check, streamed through, and told to end by SIGTERM.
// Needs root, and Debian's buildah, debootstrap and runc. Takes some minutes; prints one line a step.
// `--keep-base` and `--keep-image` take what an earlier run has left.
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";
import { ociConfig } from "./image-proof/oci-config.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const suite = "trixie";
const nodeVersion = "24.21.0";
const npmVersion = "11.19.1";
const baseImage = "localhost/sluice-proof/node:base";
const image = "localhost/sluice-proof/server:latest";
// Neither user namespaces nor overlay file systems are to be had everywhere.
const environment = { ...process.env, BUILDAH_ISOLATION: "chroot", STORAGE_DRIVER: "vfs" };

/** Thrown, so that what was started is ended. */
function fail(message) {
  throw new Error(message);
}

const run = (command, args, options = {}) =>
  execFileSync(command, args, {
    env: environment,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
    ...options,
  });
const buildah = (...args) => run("buildah", args, { maxBuffer: 1 << 26 }).trim();

function step(name, work) {
  const startMs = performance.now();
  const said = work();
  const seconds = ((performance.now() - startMs) / 1000).toFixed(0);
  console.log(`ok  ${name}${said === undefined ? "" : `: ${said}`} (${seconds} s)`);
}

/** Unpacks a package of the npm registry. */
function unpack(name, folder, workspace) {
  const tarball = run("npm", ["pack", "--silent", name], { cwd: workspace }).trim().split("\n").at(-1);
  mkdirSync(folder, { recursive: true });
  run("tar", ["xzf", join(workspace, tarball), "-C", folder, "--strip-components=1"]);
}

function makeBase(workspace) {
  const system = join(workspace, "system");
  run("debootstrap", ["--variant=minbase", "--include=ca-certificates", suite, system]);
  unpack(`node-linux-${process.arch}@${nodeVersion}`, join(workspace, "node"), workspace);
  cpSync(join(workspace, "node/bin/node"), join(system, "usr/local/bin/node"));
  const modules = join(system, "usr/local/lib/node_modules");
  unpack(`npm@${npmVersion}`, join(modules, "npm"), workspace);
  for (const name of ["npm", "npx"]) {
    symlinkSync(`../lib/node_modules/npm/bin/${name}-cli.js`, join(system, "usr/local/bin", name));
  }
  // Whom this machine trusts, the image's build has to trust as well: registries may stand behind a proxy.
  const authorities = process.env.NODE_EXTRA_CA_CERTS ?? "/etc/ssl/certs/ca-certificates.crt";
  if (existsSync(authorities)) {
    cpSync(authorities, join(system, "etc/ssl/certs/ca-certificates.crt"), { dereference: true });
    mkdirSync(join(system, "usr/local/etc"), { recursive: true });
    writeFileSync(join(system, "usr/local/etc/npmrc"), "cafile=/etc/ssl/certs/ca-certificates.crt\n");
  }
  const container = buildah("from", "scratch");
  buildah("add", "-q", container, system, "/");
  buildah("config", "--env", "NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt", container);
  buildah("commit", "-q", container, baseImage);
  buildah("rm", container);
  return `Debian ${suite}, Node ${nodeVersion}`;
}

function build(workspace) {
  // What git knows, as a fresh clone has it.
  const context = join(workspace, "context");
  mkdirSync(context);
  const files = run("git", ["ls-files", "-z"], { cwd: root });
  const archive = join(workspace, "context.tar");
  execFileSync("tar", ["--null", "--files-from=-", "-cf", archive], { cwd: root, input: files });
  run("tar", ["xf", archive, "-C", context]);
  const dockerfile = join(root, "services/inference-server/Dockerfile");
  const [format, network] = [
    ["--format", "docker"],
    ["--network", "host"],
  ].map((pair) => pair.join("="));
  buildah(
    "bud",
    format,
    network,
    "--build-arg",
    `NODE_IMAGE=${baseImage}`,
    "-f",
    dockerfile,
    "-t",
    image,
    context,
  );
}

/**
 * Runs the image as the composition has an engine run it: its entry point and command, as its user, with a read-only root,
 * no capabilities and no new privileges.
 */
async function use(workspace) {
  const { Docker } = JSON.parse(buildah("inspect", "--type", "image", image));
  const { services } = parse(readFileSync(join(root, "docker-compose.yml"), "utf8"));
  const container = buildah("from", image);
  const name = `sluice-proof-${process.pid}`;
  const config = ociConfig(Docker.config, services.server, buildah("mount", container));
  writeFileSync(join(workspace, "config.json"), JSON.stringify(config));
  const inside = (...args) =>
    spawnSync("runc", ["exec", name, ...args], { env: environment, encoding: "utf8" });
  const server = spawn("runc", ["run", "--bundle", workspace, name], { env: environment });
  let log = "";
  server.stderr.on("data", (text) => {
    log += text;
  });
  try {
    const listening = await firstLine(server, '"listening"', () => log);
    console.log(`ok  started as ${Docker.config.User}: ${listening.url}`);
    const health = inside(...Docker.config.Healthcheck.Test.slice(1));
    if (health.status !== 0) fail(`the health check says ${health.stderr}`);
    console.log("ok  its health check says that it is ready");
    confined(inside);
    const url = listening.url.replace("0.0.0.0", "127.0.0.1");
    const stream = [
      ...[join(root, "packages/cli/bin/sluice.js"), "stream", url],
      // Slow enough for a busy machine: this is about the image, not about its speed.
      ...[
        "--cert-hash",
        listening.certHash,
        "--fps",
        "5",
        "--deadline-ms",
        "5000",
        "--duration",
        "6",
        "--json",
      ],
    ];
    const figures = JSON.parse(run(process.execPath, stream));
    if (figures.delivered < 0.9 * figures.offered)
      fail(`${figures.delivered} of ${figures.offered} frames came back`);
    console.log(
      `ok  a stream through it: ${figures.delivered} of ${figures.offered} frames, ${figures.onTime} in time`,
    );
    const ended = once(server, "exit");
    run("runc", ["kill", name, Docker.config.StopSignal ?? "SIGTERM"]);
    const [code] = await ended;
    if (code !== 0 || !log.includes("ending"))
      fail(`SIGTERM ended it with code ${code}\n${log.slice(-2000)}`);
    console.log("ok  SIGTERM: it finished what was in flight and ended with code 0");
  } finally {
    spawnSync("runc", ["delete", "--force", name], { env: environment });
    spawnSync("buildah", ["umount", container], { env: environment });
    spawnSync("buildah", ["rm", container], { env: environment });
  }
}

/** What a process in the container can do to it, and what it is. */
function confined(inside) {
  const write = inside("touch", "/app/x");
  if (write.status === 0 || !write.stderr.includes("Read-only file system"))
    fail(`its root can be written to: ${write.stderr}`);
  const scratch = inside("touch", "/tmp/x");
  if (scratch.status !== 0) fail(`/tmp cannot be written to: ${scratch.stderr}`);
  const owned = inside(
    "find",
    "/",
    "-xdev",
    "-path",
    "/tmp",
    "-prune",
    "-o",
    "-writable",
    "-not",
    "-type",
    "l",
    "-print",
  ).stdout.trim();
  if (owned !== "") fail(`its user can change files: ${owned.split("\n").slice(0, 3).join(", ")}`);
  const status = inside("cat", "/proc/1/status").stdout;
  for (const line of ["Uid:\t65532\t65532\t65532\t65532", "NoNewPrivs:\t1", "CapBnd:\t0000000000000000"]) {
    if (!status.includes(line)) fail(`expected ${JSON.stringify(line)} of its process\n${status}`);
  }
  console.log("ok  its root is read-only, /tmp is not; no capabilities, no new privileges");
}

async function firstLine(child, part, log) {
  for await (const line of createInterface(child.stdout)) if (line.includes(part)) return JSON.parse(line);
  return fail(`the server ended before it listened\n${log()}`);
}

function checkMeans() {
  if (process.getuid() !== 0) fail("debootstrap and buildah need root here");
  for (const program of ["debootstrap", "buildah", "runc"]) {
    if (spawnSync(program, ["--version"]).error)
      fail(`${program} is not installed (apt-get install ${program})`);
  }
}

/** Whether an earlier run has left it and may be believed: `--keep-base`, `--keep-image`. */
const isKept = (flag, name) =>
  process.argv.includes(flag) &&
  spawnSync("buildah", ["inspect", "--type", "image", name], { env: environment }).status === 0;

const workspace = mkdtempSync(join(tmpdir(), "sluice-proof-"));
try {
  checkMeans();
  if (isKept("--keep-image", image)) console.log("ok  image of an earlier run");
  else {
    if (isKept("--keep-base", baseImage)) console.log("ok  base image of an earlier run");
    else step("base image", () => makeBase(workspace));
    step("image from the Dockerfile", () => build(workspace));
  }
  await use(workspace);
} catch (error) {
  console.error(`prove-image: ${error.message}`);
  process.exitCode = 1;
} finally {
  rmSync(workspace, { recursive: true, force: true });
}
