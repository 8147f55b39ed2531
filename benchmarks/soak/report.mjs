// The report of a campaign for people.

import { formatTable } from "../tables.mjs";
import { describeStep } from "./campaign.mjs";

const megabytes = (bytes) => (bytes / 1e6).toFixed(1);
const kibibytes = (bytes) => (bytes / 1024).toFixed(1);
const milliseconds = (ms) => (ms === null ? "never" : `${Math.round(ms)} ms`);

/** @param result of `runCampaign` */
export function formatReport(result) {
  const { failures, seed, minutes, engine, timeline, servers, disk, missing, notReached } = result;
  const verdict = failures.length === 0 ? "held" : `FAILED in ${failures.length} ways`;
  return [
    `# Soak: ${minutes} min, seed ${seed}: ${verdict}`,
    failures.map((failure) => `- ${failure}`).join("\n"),
    `${timeline.length} faults in ${result.seconds} s; ${servers.length} servers one after another, engine ${engine}; captures on ${disk}.`,
    [
      ...Object.entries(missing).map(([name, reason]) => `Left out: ${name}, ${reason}.`),
      notReached.length > 0 ? `Not reached: ${notReached.join(", ")}.` : "",
    ].join("\n"),
    "## Recovery",
    "From the end of the fault until every stream had a result in time of a frame that was offered after it; and how many of the frames in the calm behind it were in time.",

    formatTable(
      ["fault", "times", "median", "worst", "calm"],
      Object.entries(result.recovery).map(([name, { count, medianMs, maxMs, never, calmShare }]) => [
        ...[name, count, milliseconds(medianMs), never > 0 ? `never (${never} times)` : milliseconds(maxMs)],
        `${Math.round(100 * calmShare)} %`,
      ]),
    ),
    "## Frames",
    formatFrames(result),
    "## Memory",
    formatMemory(result.memory),
    "## Timeline",
    formatTable(
      ["at", "fault", "took", "recovered in"],
      timeline.map((step) => [
        ...[`${step.atSeconds} s`, describeStep(step), `${step.seconds} s`, milliseconds(step.recoveryMs)],
      ]),
    ),
  ]
    .filter((part) => part !== "")
    .join("\n\n");
}

function formatFrames({ frames, companions, servers }) {
  const client = (frames?.streams ?? []).map(({ name, offered, onTime, outcomes }) => [
    ...[`client, ${name}`, offered, onTime],
    list(outcomes),
  ]);
  const others = companions.map(({ name, frames: own }) => [
    ...[`beside, ${name}`, own?.offered ?? "?", own?.onTime ?? "?"],
    own ? list({ delivered: own.delivered, ...own.dropReasons, ...own.expiryReasons }) : "no report",
  ]);
  const server = servers.map(({ ended, endedInMs, metrics }, number) => [
    ...[
      `server ${number}${ended === "SIGKILL" ? ", killed: as last read" : endedInMs ? `, ended in ${endedInMs} ms` : ""}`,
      metrics?.begun ?? "?",
      "",
    ],
    list(metrics?.outcomes ?? {}),
  ]);
  return formatTable(
    ["where", "offered or begun", "in time", "by outcome"],
    [...client, ...others, ...server],
  );
}

const list = (counts) =>
  Object.entries(counts)
    .filter(([, count]) => count > 0)
    .map(([name, count]) => `${name} ${count}`)
    .join(", ");

function formatMemory(memory) {
  const slope = (found) =>
    found
      ? `${kibibytes(found.perMinute)} (${kibibytes(found.low)} to ${kibibytes(found.high)}, ${found.points} points)`
      : "too short to tell";
  return formatTable(
    [
      "process",
      "highest RSS, MB",
      "RSS, KiB a minute (95 %)",
      "heap and buffers, KiB a minute (95 %)",
      "loop delay p99 / worst",
    ],
    Object.entries(memory).map(([name, { slopes, highestRssBytes, lagMs }]) => [
      ...[name, megabytes(highestRssBytes), slope(slopes.rss), slope(slopes.heap)],
      lagMs ? `${lagMs.medianP99} / ${lagMs.max} ms` : "",
    ]),
  );
}
