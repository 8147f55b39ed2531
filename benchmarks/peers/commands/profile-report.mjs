const microseconds = (value) => value.toFixed(value < 10 ? 1 : 0);

const formatCosts = (costs) => [
  "| what, where | thread | us a frame | % |",
  "| --- | --- | --- | --- |",
  ...costs.map(
    ({ cost, thread, usPerFrame, share }) =>
      `| ${cost} | ${thread} | ${microseconds(usPerFrame)} | ${(share * 100).toFixed(1)} |`,
  ),
];

/** Records of before have no threads. */
const formatThreads = (threads = []) =>
  threads.length === 0
    ? ""
    : `: ${threads.map(({ thread, usPerFrame }) => `${thread} ${microseconds(usPerFrame)}`).join("; ")}`;

const describe = ({ frames, cpuMsPerFrame, totalUsPerFrame, threads }) =>
  `${frames} frames, ${cpuMsPerFrame.toFixed(2)} ms of CPU each, both processes with all their threads; of the sampled threads ${microseconds(totalUsPerFrame)} us a frame${formatThreads(threads)}`;

/** @param before the same path through the code as it was; `undefined` where that was not recorded */
function formatCell(cell, before) {
  const now = [`${before === undefined ? "" : "After: "}${describe(cell)}.`, "", ...formatCosts(cell.costs)];
  const then =
    before === undefined ? [] : [`Before: ${describe(before)}.`, "", ...formatCosts(before.costs), ""];
  return [`### ${cell.key}`, "", ...then, ...now, ""].join("\n");
}

/** The ten largest costs of each path through the code. */
export function formatProfile({ cells }, before = { cells: [] }) {
  return cells
    .map((cell) =>
      formatCell(
        cell,
        before.cells.find(({ key }) => key === cell.key),
      ),
    )
    .join("\n");
}

const describeRun = (title, { environment, seed, seconds }) =>
  `- ${title}${environment.date}, commit ${environment.commit}; ${environment.cpu}, ${environment.cores} cores, Node ${environment.node}; seed ${seed}, ${seconds} s`;

/** The report of one run, beside the one before where there is one. */
export function composeProfile(record, before) {
  return [
    "# Where the time goes",
    "",
    "Written by `node benchmarks/peers.mjs report` from `peers/profile.jsonl`, which `profile --record` writes, and",
    "`peers/profile-before.jsonl`, which is the same of an earlier commit.",
    "V8's samples, 0.2 ms apart, of the application's thread and of QUIC's, where that is another one, at both ends. What",
    "waits for the machine counts as well; `doSend` and `postMessage` hold the system calls that wake the other side.",
    "",
    ...(before === undefined ? [] : [describeRun("before: ", before.header)]),
    describeRun(before === undefined ? "" : "after: ", record.header),
    "",
    formatProfile(record, before),
  ].join("\n");
}
