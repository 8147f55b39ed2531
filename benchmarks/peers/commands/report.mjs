// Everything that is written from the records: the report, its plots, the profile, the README's one result.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { renderPlot } from "../../plot/render-plot.mjs";
import { readRecord, resultFile } from "../record.mjs";
import { composeReport } from "../report/compose.mjs";
import { plotsOf } from "../report/plots.mjs";
import { composeReadmeSection, replaceSection } from "../report/readme-section.mjs";
import { composeProfile } from "./profile-report.mjs";

const at = (path) => fileURLToPath(new URL(`../../../${path}`, import.meta.url));
const README = at("README.md");
const RESULTS = at("benchmarks/results");
const recorded = ["impaired", "bounds", "end-to-end", "loopback", "scale"];

/** Records by command, those that there are. */
export function readRecords() {
  const found = [...recorded, "profile", "profile-before"].filter((command) =>
    existsSync(resultFile(command)),
  );
  return Object.fromEntries(found.map((command) => [command, readRecord(resultFile(command))]));
}

/** Every text that belongs to these records, by its path in the repository; plots apart. */
export function textsOf({ profile, "profile-before": before, ...records }) {
  const readme = replaceSection(readFileSync(README, "utf8"), composeReadmeSection(records.impaired));
  const hasAny = Object.keys(records).length > 0;
  return {
    "README.md": readme,
    ...(hasAny && { "benchmarks/results/peers.md": composeReport(records, Object.keys(plotsOf(records))) }),
    ...(profile && { "benchmarks/results/peers-profile.md": composeProfile(profile, before) }),
  };
}

export async function run() {
  const records = readRecords();
  if (Object.keys(records).length === 0) {
    console.error("peers report: nothing is recorded; run the other commands with --record first");
    return 1;
  }
  for (const [path, text] of Object.entries(textsOf(records))) writeFileSync(at(path), text);
  mkdirSync(`${RESULTS}/peers`, { recursive: true });
  for (const [name, spec] of Object.entries(plotsOf(records))) {
    const { svg } = await renderPlot(spec);
    writeFileSync(`${RESULTS}/peers/${name}.svg`, svg);
  }
  console.error(
    `peers report: of ${Object.keys(records).join(", ")}: benchmarks/results/peers.md, README.md`,
  );
  return 0;
}
