import t from "tap";
import {
  findInstallScripts,
  findLicences,
  findLockFaults,
  findLoosePins,
  isAllowed,
} from "../audit/offline.mjs";
import { askAdvisories, askVersions } from "../audit/registry.mjs";

t.test("only exact versions and the workspace's own packages pass", async (t) => {
  const manifest = {
    dependencies: { a: "1.2.3", b: "^1.2.3", "@sluice/c": "workspace:*", d: "2.0.0-rc.1" },
    devDependencies: { e: "latest" },
    optionalDependencies: { f: "git+https://example.org/f.git" },
    peerDependencies: { g: "^1.0.0" },
  };
  t.strictSame(findLoosePins([["packages/x", manifest]]), [
    "packages/x: dependencies.b is ^1.2.3; pin one exact version",
    "packages/x: devDependencies.e is latest; pin one exact version",
    "packages/x: optionalDependencies.f is git+https://example.org/f.git; pin one exact version",
  ]);
});

t.test("what the lock file holds has a hash and comes from the registry", async (t) => {
  const integrity = "sha512-abc";
  const packages = {
    "good@1.0.0": { resolution: { integrity } },
    "bare@1.0.0": { resolution: {} },
    "weak@1.0.0": { resolution: { integrity: "sha1-abc" } },
    "odd@1.0.0": { resolution: { integrity, tarball: "https://example.org/odd.tgz" } },
    "old@1.0.0": { resolution: { integrity }, deprecated: "use new" },
  };
  t.strictSame(findLockFaults({ packages }), [
    "bare@1.0.0: no SHA-512 in the lock file",
    "weak@1.0.0: no SHA-512 in the lock file",
    "odd@1.0.0: comes by tarball https://example.org/odd.tgz, not from the registry",
    "old@1.0.0: deprecated: use new",
  ]);
});

t.test("each install script was decided about, and each decision is about one", async (t) => {
  const packages = [
    { name: "quiet", scripts: { test: "x" } },
    { name: "blocked", scripts: { postinstall: "x" } },
    { name: "new", scripts: { install: "x" } },
  ];
  const workspace = { onlyBuiltDependencies: [], ignoredBuiltDependencies: ["blocked", "gone"] };
  t.match(findInstallScripts(packages, workspace), [/^new: has an install script/, /gone has no install/]);
});

t.test("licences: all of AND, one of OR, nothing unknown, and exceptions by name", async (t) => {
  for (const licence of ["MIT", "(MIT OR GPL-3.0)", "Apache-2.0 AND MIT", "(MIT AND ISC)"])
    t.ok(isAllowed(licence), licence);
  for (const licence of [
    ...["GPL-3.0", "MIT AND GPL-3.0", "SEE LICENSE IN x", "", undefined, { type: "MIT" }],
    "(MIT OR ISC) AND GPL-3.0",
  ])
    t.notOk(isAllowed(licence), JSON.stringify(licence));
  t.strictSame(
    findLicences([
      { name: "a", version: "1.0.0", license: "MIT" },
      { name: "@img/sharp-libvips-linux-x64", version: "1.0.0", license: "LGPL-3.0-or-later" },
      { name: "b", version: "1.0.0", license: "LGPL-3.0-or-later" },
    ]),
    ['b@1.0.0: licence "LGPL-3.0-or-later" is not allowed'],
  );
});

t.test("the registry: advisories and deprecations are findings, silence is said", async (t) => {
  const advisory = { module_name: "a", severity: "high", title: "bad", url: "https://example.org/1" };
  const found = await askAdvisories(
    async () => ({ stdout: JSON.stringify({ advisories: { 1: advisory } }) }),
    "x",
  );
  t.strictSame(found.findings, ["a: high: bad (https://example.org/1)"]);
  const silent = await askAdvisories(
    async () => ({ stdout: "", stderr: "405 from https://mirror.example/x" }),
    "x",
  );
  t.match(silent, { isReachable: false, findings: [], lines: [/not reached: 405 from the registry\/x/] });

  const answers = {
    "a@1.0.0": { time: { "1.0.0": "2020-01-01T00:00:00Z" }, deprecated: "gone" },
    "b@1.0.0": { time: { created: "2020-01-01T00:00:00Z", "1.0.0": "2025-01-01T00:00:00Z" } },
  };
  const run = async (_, [, name]) => ({ stdout: JSON.stringify(answers[name] ?? {}) });
  const packages = ["a", "b", "c"].map((name) => ({ name, version: "1.0.0" }));
  const versions = await askVersions(run, packages, Date.parse("2026-01-01T00:00:00Z"));
  t.match(versions, {
    asked: 2,
    findings: ["a@1.0.0: deprecated: gone"],
    notes: ["a: no release for 6 years"],
  });
});
