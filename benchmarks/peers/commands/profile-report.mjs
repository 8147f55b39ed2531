const microseconds = (value) => value.toFixed(value < 10 ? 1 : 0);

function formatCell({ key, frames, cpuMsPerFrame, totalUsPerFrame, costs }) {
  return [
    `### ${key}`,
    "",
    `${frames} frames; ${cpuMsPerFrame.toFixed(2)} ms of CPU for each, of client and server and all their threads; samples of the four threads that are not idle: ${microseconds(totalUsPerFrame)} us a frame.`,
    "",
    "| what, where | thread | us a frame | % |",
    "| --- | --- | --- | --- |",
    ...costs.map(
      ({ cost, thread, usPerFrame, share }) =>
        `| ${cost} | ${thread} | ${microseconds(usPerFrame)} | ${(share * 100).toFixed(1)} |`,
    ),
    "",
  ].join("\n");
}

/** The ten largest costs of each path through the code. */
export function formatProfile({ cells }) {
  return cells.map(formatCell).join("\n");
}

/** The report of one run; `before` is the run that it is compared with, where there is one. */
export function composeProfile({ header, cells }) {
  const { environment, seed, seconds } = header;
  return [
    "# Where the time goes",
    "",
    "Written by `node benchmarks/peers.mjs report` from `peers/profile.jsonl`, which `profile --record` writes.",
    "V8's samples of four threads, 0.2 ms apart: the application's and QUIC's of client and server. Native calls stand",
    "under the function that makes them.",
    "",
    `- ${environment.date}, commit ${environment.commit}; ${environment.cpu}, ${environment.cores} cores, Node ${environment.node}; seed ${seed}, ${seconds} s`,
    "",
    formatProfile({ cells }),
  ].join("\n");
}
