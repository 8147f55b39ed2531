// Where captures are written: a file system of its own that can be filled, where this may be mounted; else an error
// that is injected where the server writes.
import { spawnSync } from "node:child_process";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

const sizeBytes = 16 * 1024 * 1024;

/**
 * @param {string} directory made by the caller, who removes it
 * @param {() => { call(command: string, argument: unknown): Promise<unknown> }} server the present one
 */
export async function openDisk(directory, server) {
  const captures = join(directory, "captures");
  await mkdir(captures);
  const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", `size=${sizeBytes}`, "sluice-soak", captures]);
  if (mounted.status !== 0) {
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
    async fill() {
      // The kernel gives what fits, and then refuses.
      await writeFile(filler, new Uint8Array(2 * sizeBytes)).catch((error) => {
        if (error.code !== "ENOSPC") throw error;
      });
    },
    free: () => rm(filler, { force: true }),
    close() {
      spawnSync("umount", [captures]);
    },
  };
}
