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
