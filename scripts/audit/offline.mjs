// What can be said about the dependencies from the files alone: pins, integrity, install scripts, licences.
// Everything is passed in and every finding is a line of text; ../audit.mjs reads the files.

/** Licences of what is delivered that ask for no more than their text to be kept. SPDX names. */
export const allowedLicences = new Set([
  ...["MIT", "MIT-0", "ISC", "0BSD", "BSD-2-Clause", "BSD-3-Clause", "Apache-2.0", "BlueOak-1.0.0"],
  ...["CC0-1.0", "Unlicense", "Zlib", "Python-2.0"],
]);

/** Others, by name, each with the reason why it may be there all the same. */
export const licenceExceptions = new Map([
  [
    /^@img\/sharp-(libvips-|win32-)/,
    { licence: "LGPL-3.0-or-later", reason: "libvips as a shared library of its own, which can be replaced" },
  ],
]);

const EXACT = /^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?$/;

/** Dependencies of workspace packages that are not pinned to one version. @param manifests `[path, manifest][]` */
export function findLoosePins(manifests) {
  return manifests.flatMap(([path, manifest]) =>
    ["dependencies", "devDependencies", "optionalDependencies"].flatMap((kind) =>
      Object.entries(manifest[kind] ?? {})
        .filter(([, version]) => !EXACT.test(version) && !version.startsWith("workspace:"))
        .map(([name, version]) => `${path}: ${kind}.${name} is ${version}; pin one exact version`),
    ),
  );
}

/** Packages of a lock file that come without a hash, from elsewhere than the registry, or deprecated. */
export function findLockFaults(lock) {
  return Object.entries(lock.packages ?? {}).flatMap(([name, { resolution = {}, deprecated }]) => {
    const faults = [];
    if (!/^sha512-/.test(resolution.integrity ?? "")) faults.push(`${name}: no SHA-512 in the lock file`);
    for (const key of ["tarball", "directory", "repo", "commit", "type"]) {
      if (key in resolution)
        faults.push(`${name}: comes by ${key} ${resolution[key]}, not from the registry`);
    }
    if (deprecated !== undefined) faults.push(`${name}: deprecated: ${deprecated}`);
    return faults;
  });
}

/**
 * Packages that would run something when they are installed and that nobody has decided about, and decisions about
 * packages that are gone. @param workspace pnpm-workspace.yaml
 */
export function findInstallScripts(packages, workspace) {
  const decided = new Set([
    ...(workspace.onlyBuiltDependencies ?? []),
    ...(workspace.ignoredBuiltDependencies ?? []),
  ]);
  const running = new Set(packages.filter(runsAtInstall).map(({ name }) => name));
  return [
    ...[...running]
      .filter((name) => !decided.has(name))
      .map((name) => `${name}: has an install script; name it in pnpm-workspace.yaml with the reason`),
    ...[...decided]
      .filter((name) => !running.has(name))
      .map((name) => `pnpm-workspace.yaml: ${name} has no install script, or is not installed`),
  ];
}

const runsAtInstall = ({ scripts = {} }) =>
  ["preinstall", "install", "postinstall"].some((name) => name in scripts);

/** What is delivered under a licence that is not allowed. @param packages manifests of the production dependencies */
export function findLicences(packages) {
  return packages
    .filter(({ name, license }) => !isAllowed(license) && !isException(name, license))
    .map(
      ({ name, version, license }) => `${name}@${version}: licence ${JSON.stringify(license)} is not allowed`,
    );
}

function isException(name, license) {
  return [...licenceExceptions].some(([pattern, { licence }]) => pattern.test(name) && license === licence);
}

/** An SPDX expression without nested parentheses: one allowed of those joined by OR, all of those joined by AND. */
export function isAllowed(expression) {
  if (typeof expression !== "string") return false;
  const text = expression.replace(/^\((.*)\)$/, "$1");
  const allowed = (part) => allowedLicences.has(part.trim());
  if (text.includes(" OR ")) return !/ AND |\(/.test(text) && text.split(" OR ").some(allowed);
  return text.split(" AND ").every(allowed);
}
