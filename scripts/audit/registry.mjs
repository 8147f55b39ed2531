// What only the registry knows, asked through its ordinary clients. `run(command, args)` resolves to
// { stdout, stderr, code } and never rejects.

const day = 86_400_000;
/** Without a release for so long a package is looked at: it may be finished, or left. */
const quietDays = 3 * 365;
const atOnce = 4;

/** Known advisories against what is delivered. The answer of `pnpm audit --json`. */
export async function askAdvisories(run, packageManager) {
  const { stdout, stderr } = await run("npx", ["--yes", packageManager, "audit", "--prod", "--json"]);
  const answer = parse(stdout);
  if (answer?.advisories === undefined) {
    const why = answer?.error?.message ?? (`${stdout}${stderr}`.trim().split("\n").at(-1) || "no answer");
    return {
      ...{ isReachable: false, findings: [] },
      lines: [`--      advisories: the registry's audit endpoint was not reached: ${withoutHosts(why)}`],
    };
  }
  const findings = Object.values(answer.advisories).map(
    ({ module_name: name, severity, title, url }) => `${name}: ${severity}: ${title} (${url})`,
  );
  const verdict = findings.length === 0 ? "ok    " : "FAILED";
  const lines = [`${verdict}  advisories`, ...findings.map((finding) => `        ${finding}`)];
  return { isReachable: true, findings, lines };
}

/** Age and deprecation of the versions that the workspace names. @param nowMs Unix time */
export async function askVersions(run, packages, nowMs) {
  const waiting = [...packages];
  const findings = [];
  const notes = [];
  let unanswered = 0;
  async function work() {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const { name, version } = next;
      // `version` beside the others: of one field alone npm prints the bare value.
      const { stdout } = await run("npm", [
        "view",
        `${name}@${version}`,
        "version",
        "time",
        "deprecated",
        "--json",
      ]);
      const answer = parse(stdout);
      if (answer?.time === undefined) {
        unanswered++;
        continue;
      }
      if (answer.deprecated) findings.push(`${name}@${version}: deprecated: ${answer.deprecated}`);
      const released = Object.entries(answer.time).filter(([key]) => /^\d/.test(key));
      const latestMs = Math.max(...released.map(([, time]) => Date.parse(time)));
      const quiet = Math.floor((nowMs - latestMs) / day);
      if (quiet > quietDays) notes.push(`${name}: no release for ${Math.floor(quiet / 365)} years`);
    }
  }
  await Promise.all(Array.from({ length: atOnce }, work));
  const asked = packages.length - unanswered;
  const verdict = asked === 0 ? "--    " : findings.length === 0 ? "ok    " : "FAILED";
  const about = asked === 0 ? "the registry did not answer" : `${asked} of ${packages.length} asked`;
  return {
    ...{ asked, findings, notes: notes.sort() },
    lines: [
      `${verdict}  none of the versions that we name is deprecated: ${about}`,
      ...[...findings, ...notes].map((text) => `        ${text}`),
    ],
  };
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Which mirror somebody uses is nobody's business. */
const withoutHosts = (text) => text.replace(/https?:\/\/[^\s/)]+/g, "the registry");
