// Where captures are written: a file system of its own that can be filled, where this may be mounted; else an error
// that is injected where the server writes.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

const sizeBytes = 16 * 1024 * 1024;
const fullBytes = 1024 * 1024;
/** Takes no byte, ever. */
const fullFile = "/dev/full";

const mount = (path, bytes) =>
  spawnSync("mount", ["-t", "tmpfs", "-o", `size=${bytes}`, "sluice-soak", path]).status === 0;

/** At once, although a server that is being killed may still have a file open. */
const unmount = (path) => spawnSync("umount", ["--lazy", path]);

/** The kernel gives what fits, and then refuses. */
async function fillUp(path, bytes) {
  await writeFile(path, new Uint8Array(2 * bytes)).catch((error) => {
    if (error.code !== "ENOSPC") throw error;
  });
}

/**
 * @param {string} directory made by the caller, who removes it
 * @param {() => { call(command: string, argument: unknown): Promise<unknown> }} server the present one
 */
export async function openDisk(directory, server) {
  const captures = join(directory, "captures");
  await mkdir(captures);
  if (!mount(captures, sizeBytes)) {
    return {
      ...{ captures, isReal: false },
      fill: () => server().call("fillDisk", true),
      free: () => server().call("fillDisk", false),
      close() {},
    };
  }
  const filler = join(captures, "filler");
  return {
    ...{ captures, isReal: true },
    fill: () => fillUp(filler, sizeBytes),
    free: () => rm(filler, { force: true }),
    close() {
      unmount(captures);
    },
  };
}

/**
 * Where traces and qlog files find no room from the first to the last: servers go on without, say so once and count it.
 * What this machine cannot do is `undefined`.
 * @param {string} directory made by the caller, who removes it
 */
export async function openFullDisk(directory) {
  const qlog = join(directory, "qlog");
  await mkdir(qlog);
  const isMounted = mount(qlog, fullBytes);
  if (isMounted) await fillUp(join(qlog, "filler"), fullBytes);
  return {
    trace: existsSync(fullFile) ? fullFile : undefined,
    qlog: isMounted ? qlog : undefined,
    close() {
      if (isMounted) unmount(qlog);
    },
  };
}
