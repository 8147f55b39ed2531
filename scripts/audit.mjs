// npm run audit: looks at the dependencies. What the files tell always runs, and is part of `npm test`; what only the
// registry knows, advisories and deprecations, is asked where it answers, and said where it does not.
// `--offline` leaves the registry out; `--json` prints one object. Exit code 1 on a finding.
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";
import { readInstalled, readProduction, readWorkspace } from "./audit/installed.mjs";
import { findInstallScripts, findLicences, findLockFaults, findLoosePins } from "./audit/offline.mjs";
import { askAdvisories, askVersions } from "./audit/registry.mjs";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const readYaml = (name) => parse(readFileSync(join(root, name), "utf8"));
const isJson = process.argv.includes("--json");

const settings = readYaml("pnpm-workspace.yaml");
const workspace = readWorkspace(root, settings.packages);
const { packages, direct, absent } = readProduction(root, workspace);
const lock = readYaml("pnpm-lock.yaml");
const checks = {
  "versions are pinned": findLoosePins(workspace),
  "the lock file has hashes, nothing from elsewhere and nothing deprecated": findLockFaults(lock),
  "install scripts are decided about": findInstallScripts(readInstalled(root), settings),
  "licences are allowed": findLicences(packages),
};
const report = {
  lockedPackages: Object.keys(lock.packages).length,
  productionPackages: packages.length,
  direct: direct.length,
  notInstalledHere: absent.length,
  findings: Object.values(checks).flat(),
};

if (!isJson) {
  for (const [name, findings] of Object.entries(checks)) {
    console.log(`${findings.length === 0 ? "ok    " : "FAILED"}  ${name}`);
    for (const finding of findings) console.log(`        ${finding}`);
  }
  console.log(
    `        ${report.lockedPackages} packages locked, ${report.productionPackages} delivered (${report.direct} of them named by us); ` +
      `${report.notInstalledHere} optional ones or for other systems are not installed here`,
  );
}

if (!process.argv.includes("--offline")) {
  const run = (command, args) =>
    new Promise((resolve) => {
      execFile(command, args, { cwd: root, maxBuffer: 1 << 26 }, (error, stdout, stderr) =>
        resolve({ stdout, stderr, code: error?.code ?? 0 }),
      );
    });
  const { packageManager } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const [advisories, versions] = await Promise.all([
    askAdvisories(run, packageManager),
    askVersions(run, direct, Date.now()),
  ]);
  Object.assign(report, { advisories, versions });
  report.findings.push(...advisories.findings, ...versions.findings);
  if (!isJson) for (const line of [...advisories.lines, ...versions.lines]) console.log(line);
}
if (isJson) console.log(JSON.stringify(report));
process.exitCode = report.findings.length === 0 ? 0 : 1;
