import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

const SOURCE = fileURLToPath(new URL("tun-link.c", import.meta.url));

/** Why there can be no TUN link here; `undefined` where there can. */
export function whyNoTunLink() {
  if (process.platform !== "linux") return "it needs Linux: network namespaces and TUN devices";
  if (process.getuid() !== 0) return "it needs root, to make network namespaces and TUN devices";
  if (!existsSync("/dev/net/tun")) return "there is no /dev/net/tun: load the kernel module tun";
  for (const [command, version] of [
    ["gcc", "--version"],
    ["ip", "-V"],
  ]) {
    if (spawnSync(command, [version]).status !== 0)
      return `there is no ${command}: install ${command === "ip" ? "iproute2" : "gcc"}`;
  }
  return undefined;
}

/** Compiles the link into a folder of its own, which goes with this process. @returns the path of the program */
export function buildTunLink() {
  const folder = mkdtempSync(join(tmpdir(), "sluice-tun-link-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  const program = join(folder, "tun-link");
  const { status, stderr } = spawnSync("gcc", ["-O2", "-Wall", "-Wextra", "-o", program, SOURCE], {
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(`gcc could not compile tun-link.c:\n${stderr}`);
  return program;
}
