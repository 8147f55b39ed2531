/** What the live choice reaches of the best fixed one, in each phase. */
import { type PhaseResult, runFixed, runWorld, type WorldOptions, type WorldRun } from "../adaptive-world.js";

export interface ComparedPhase {
  readonly phase: string;
  readonly seconds: number;
  /** Results in time, by their worth. */
  readonly auto: number;
  readonly best: number;
  readonly by: string;
  /** 1 where nothing is in time by any choice. */
  readonly share: number;
}

export type FixedRuns = ReadonlyMap<string, readonly PhaseResult[]>;

export async function runEachFixed(options: WorldOptions): Promise<FixedRuns> {
  return new Map([...(await runFixed(options))].map(([name, { phases }]) => [name, phases]));
}

export async function compareLive(
  options: WorldOptions,
  fixed: FixedRuns,
): Promise<{ readonly phases: readonly ComparedPhase[]; readonly run: WorldRun }> {
  const run = await runWorld(options);
  const phases = run.phases.map(({ phase, worth }, i) => {
    const each = [...fixed].map(([name, results]) => ({ by: name, best: results[i]!.worth }));
    const { by, best } = each.reduce((most, other) => (other.best > most.best ? other : most));
    const share = best === 0 ? 1 : worth / best;
    return { phase, seconds: options.phases[i]!.seconds, auto: worth, best, by, share };
  });
  return { phases, run };
}
