// Makes and keeps the files of a Debian 13 system, with the Node that runs this.
import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";

const SUITE = "trixie";
/** What a line of `apt-get indextargets` says of a Debian archive: origin, code name, address. */
const TARGET_FORMAT = "$(ORIGIN)|$(CODENAME)|$(REPO_URI)";

/** Thrown where the machine cannot do it; the message says what is missing. */
export class RootError extends Error {
  name = "RootError";
}

/** The Debian mirror that this system's package manager uses. */
export function findMirror() {
  const { stdout } = spawnSync("apt-get", ["indextargets", "--format", TARGET_FORMAT], { encoding: "utf8" });
  const targets = (stdout ?? "").split("\n").map((line) => line.split("|"));
  // Updates and security fixes have archives of their own, whose code names have a suffix.
  const found = targets.find(([origin, codename]) => origin === "Debian" && /^[a-z]+$/.test(codename));
  if (found === undefined) throw new RootError("apt knows no Debian mirror: name one with --mirror");
  return found[2];
}

/**
 * The directory of a minimal Debian 13, made with debootstrap where it is not there yet.
 * @param {string} cache where it is kept
 * @param {string | undefined} mirror of Debian; default that of the system
 */
export function prepareRoot(cache, mirror) {
  const root = join(cache, "root");
  if (!existsSync(root)) makeRoot(cache, root, mirror ?? findMirror());
  copyFileSync(process.execPath, join(root, "usr/local/bin/node"));
  writeFileSync(join(root, "etc/hosts"), "127.0.0.1 localhost\n::1 localhost\n");
  // The browser is the host's: in the root it runs in the host's files.
  const browser = join(root, "usr/local/bin/chromium");
  writeFileSync(browser, '#!/bin/sh\nexec chroot /host /usr/bin/chromium "$@"\n', { mode: 0o755 });
  for (const directory of ["repository", "host"]) mkdirSync(join(root, directory), { recursive: true });
  const { status, stderr, error } = spawnSync("chroot", [root, "/usr/local/bin/node", "--version"], {
    encoding: "utf8",
    env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin" },
  });
  if (status !== 0) throw new RootError(`this Node does not run in Debian 13: ${error?.message ?? stderr}`);
  return root;
}

function makeRoot(cache, root, mirror) {
  const unfinished = `${root}.unfinished`;
  const packages = join(cache, "packages");
  rmSync(unfinished, { recursive: true, force: true });
  mkdirSync(packages, { recursive: true });
  process.stderr.write(`making a Debian 13 in ${root}, once; this takes minutes\n`);
  const { status, stdout, error } = spawnSync(
    "debootstrap",
    ["--variant=minbase", `--cache-dir=${packages}`, SUITE, unfinished, mirror],
    { encoding: "utf8" },
  );
  if (error?.code === "ENOENT") throw new RootError("debootstrap is missing: apt-get install debootstrap");
  if (status !== 0) throw new RootError(`debootstrap failed:\n${(stdout ?? "").slice(-1000)}`);
  renameSync(unfinished, root);
}
