/** What was measured on which images, a line for each. */
export function describeWorkload(workload) {
  const { model, split, shape, images, of, seed, statistics, statisticsSamples, excluded } = workload;
  const lines = [
    `${model}, cut at ${split}: [${shape.join(", ")}]; ${images} of ${of} images, seed ${seed}`,
    statisticsSamples === null
      ? "Statistics: none"
      : `Statistics: ${statistics}, of ${statisticsSamples} calibration images`,
  ];
  if (excluded === null) return lines;
  const { count, seed: theirs, sha256, first } = excluded;
  const names = `${first.join(", ")}${count > first.length ? ", ..." : ""}; SHA-256 of all names, one a line: ${sha256}`;
  return [
    ...lines,
    `Not evaluated, as they were calibrated on: ${count} images, the first of seed ${theirs} (${names})`,
  ];
}

/** The list of a report that says where, when, on what and of which images it was measured. */
export function describeRun({ environment, load, workload, note }) {
  const lines = [
    `${environment.date}, commit ${environment.commit}`,
    `Node ${environment.node}, ${environment.cpu}, ${environment.cores} cores, Linux ${environment.kernel}`,
    `Load average before: ${load.before.join(" ")}, after: ${load.after.join(" ")} (the benchmark's own included)`,
    ...describeWorkload(workload),
    ...(note ? [note] : []),
  ];
  return lines.map((line) => `- ${line}`).join("\n");
}
