// node scripts/test-debian13.mjs [--record] [--cache DIR] [--mirror URL]
// Tests the engine quinn, whose binary needs a newer glibc than Debian 12's, in a Debian 13 root on this machine.
// Needs root, debootstrap and a finished build (npm run build). The last line is `N passed, N failed`.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { prepareRoot, RootError } from "./debian13/root-directory.mjs";

const repository = join(dirname(fileURLToPath(import.meta.url)), "..");
const RECORD = "packages/http3/test/results/debian13-quinn.md";

/**
 * Mounts in a namespace of its own, which the kernel takes away with its last process, however that ends. /tmp is shared
 * with the browser, which runs in the host's files.
 */
const MOUNT_AND_RUN = `
set -e
mount --rbind / "$ROOT/host"
mount --bind "$SCRATCH" "$ROOT/host/tmp"
mount --bind "$SCRATCH" "$ROOT/tmp"
mount --bind "$REPOSITORY" "$ROOT/repository"
mount -o remount,bind,ro "$ROOT/repository"
mount -t proc proc "$ROOT/proc"
mount --rbind /dev "$ROOT/dev"
exec env -i HOME=/root LANG=C.UTF-8 PATH=/usr/local/bin:/usr/bin:/usr/sbin:/bin CHROMIUM="$CHROMIUM" \\
  chroot "$ROOT" sh -c 'cd /repository && exec node scripts/debian13/run-inside.mjs'
`;

function runInside(root) {
  const scratch = mkdtempSync(join(tmpdir(), "sluice-debian13-"));
  try {
    const { status, stdout, error } = spawnSync(
      "unshare",
      ["--mount", "--pid", "--fork", "--kill-child", "--propagation", "private", "sh", "-c", MOUNT_AND_RUN],
      {
        encoding: "utf8",
        stdio: ["ignore", "pipe", "inherit"],
        maxBuffer: 1 << 26,
        env: {
          ...{ PATH: process.env.PATH, ROOT: root, SCRATCH: scratch, REPOSITORY: repository },
          // Where the host has none, that of the root, which is not there: its tests are skipped by name.
          CHROMIUM: existsSync("/usr/bin/chromium") ? "/usr/local/bin/chromium" : "/usr/bin/chromium",
        },
      },
    );
    if (status !== 0)
      throw new RootError(`the tests did not run: ${error?.message ?? `exit code ${status}`}`);
    return JSON.parse(stdout.trimEnd().split("\n").at(-1) ?? "");
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function git(...args) {
  return spawnSync("git", args, { cwd: repository, encoding: "utf8" }).stdout.trim();
}

function describe({ glibc, node, reports }, total) {
  const { version } = JSON.parse(
    readFileSync(
      join(repository, "packages/http3/node_modules/@moq/web-transport-linux-x64-gnu/package.json"),
    ),
  );
  const changed = git("status", "--porcelain", "--", ".", `:!${RECORD}`) === "" ? "" : ", with changes";
  const lines = reports.map(({ path, passed, failures, skipped }) => {
    const name = path.replace("packages/http3/dist/test/", "").replace(".test.js", "");
    return `| ${name} | ${passed} | ${failures.length} | ${skipped.length} |`;
  });
  const left = reports.flatMap(({ failures, skipped }) => [
    ...failures.map(({ name }) => `- failed: ${name}`),
    ...skipped.map(({ name, reason }) => `- skipped: ${name} (${reason})`),
  ]);
  return `# The engine quinn in Debian 13

Written by \`node scripts/test-debian13.mjs --record\`.

- ${new Date().toISOString().slice(0, 10)}, commit ${git("rev-parse", "--short", "HEAD")}${changed}
- Debian 13 (trixie), glibc ${glibc}, Node ${node}, @moq/web-transport ${version}
- ${total.passed} passed, ${total.failed} failed

| tests | passed | failed | skipped |
|---|---|---|---|
${lines.join("\n")}
${left.length === 0 ? "" : `\n${left.join("\n")}\n`}`;
}

function main() {
  const { values } = parseArgs({
    options: { record: { type: "boolean" }, cache: { type: "string" }, mirror: { type: "string" } },
  });
  if (process.getuid?.() !== 0)
    throw new RootError("this needs root: it mounts and changes the root directory");
  const cache =
    values.cache ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "sluice-debian13");
  const result = runInside(prepareRoot(cache, values.mirror));
  const total = { passed: 0, failed: 0 };
  for (const { passed, failures } of result.reports) {
    total.passed += passed;
    total.failed += failures.length;
  }
  if (values.record) {
    mkdirSync(join(repository, dirname(RECORD)), { recursive: true });
    writeFileSync(join(repository, RECORD), describe(result, total));
  }
  return total;
}

let total = { passed: 0, failed: 1 };
try {
  total = main();
} catch (error) {
  console.log(error instanceof RootError ? error.message : error);
}
console.log(`${total.passed} passed, ${total.failed} failed`);
process.exitCode = total.failed > 0 || total.passed === 0 ? 1 : 0;
