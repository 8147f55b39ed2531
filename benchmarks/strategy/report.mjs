import { formatTable } from "../tables.mjs";
import { link, sumPhases } from "./scenario.mjs";

/** What a phase may lose against the best fixed choice. */
export const bound = 0.8;

/** Frames of each phase that count: in time, and with the right class where the classes are known. */
export function phaseSums(phases, { timeline, accuracy }) {
  return sumPhases(phases, timeline, accuracy.n > 0 ? "right" : "onTime");
}

/** For each phase the best fixed choice and what the live one reached of it. */
export function comparePhases({ phases, auto, fixed }) {
  const live = phaseSums(phases, auto);
  const others = fixed.map(({ name, figures }) => ({ name, sums: phaseSums(phases, figures) }));
  return phases.map(({ name }, i) => {
    const best = others.reduce((most, each) => (each.sums[i] > most.sums[i] ? each : most));
    const share = best.sums[i] === 0 ? 1 : live[i] / best.sums[i];
    return {
      phase: name,
      auto: live[i],
      best: best.sums[i],
      by: best.name,
      share,
      isReached: share >= bound,
    };
  });
}

/** What a client takes whose speed was found out here. */
const deviceOf = ({ "device-ms": deviceMs }) =>
  deviceMs === undefined ? "" : `, which is ${deviceMs} ms for the whole network`;

export function formatReport({ environment, load, options, runs }) {
  const { phases, auto, fixed } = runs;
  const names = ["auto", ...fixed.map(({ name }) => name)];
  const sums = [phaseSums(phases, auto), ...fixed.map(({ figures }) => phaseSums(phases, figures))];
  // A codec's chain has bars in its name, which would end the cell.
  const head = ["phase", "frames", ...names.map((name) => name.replaceAll("|", "\\|")), "auto of the best"];
  const compared = comparePhases(runs);
  const rows = compared.map(({ phase, share, isReached }, i) => [
    ...[phase, phases[i].seconds * options.fps, ...sums.map((each) => each[i])],
    `${(100 * share).toFixed(0)} %${isReached ? "" : ", MISSED"}`,
  ]);
  const switches = auto.phases.map(
    ({ fromSeconds, candidate, reason }) => `- ${fromSeconds.toFixed(2)} s: ${candidate}: ${reason}`,
  );
  const counted = auto.accuracy.n > 0 ? "in time and right" : "in time";
  return `# Strategy benchmark: ${auto.model}

Written by \`node benchmarks/strategy.mjs --record\`; how it measures is in \`benchmarks/README.md\`.

- ${environment.date}, commit ${environment.commit}
- Node ${environment.node}, ${environment.cpu}, ${environment.cores} cores, Linux ${environment.kernel}
- Load average before: ${load.before.join(" ")}, after: ${load.after.join(" ")} (the benchmark's own included)
- ${options.fps} frames a second within ${options.deadline} ms; the client ${options.slowdown} times slower than this machine${deviceOf(options)}; ${link.delayMs} ms each way; seed ${options.seed}${options.note ? `\n- ${options.note}` : ""}

Frames ${counted}, of each phase, with each choice alone and with the live one:

${formatTable(head, rows)}

Sessions that the live choice needed: ${auto.sessions}. Its changes:

${switches.join("\n")}
`;
}
