/**
 * A device, a path and a server in numbers, for the choice among strategies: the real client and server over seeded
 * links, with the times of both halves of a network on a virtual clock.
 */
import {
  type AdaptiveCandidate,
  type AdaptiveOutcome,
  type AdaptiveStreamOptions,
  createAdaptiveStream,
  createClient,
  type StrategySwitch,
} from "@sluice/client";
import { serveEach } from "@sluice/server";
import type { LinkParameters } from "@sluice/simnet";
import { createTensor } from "@sluice/tensor";
import { createLinkedSession } from "./linked-session.js";
import { createVirtualTime, type VirtualTime } from "./virtual-time.js";

export interface Way {
  readonly name: string;
  readonly strategy: "client" | "shared" | "server";
  readonly clientMs: number;
  readonly serverMs: number;
  /** 0: nothing is sent. */
  readonly bytes: number;
  readonly worth?: number;
}

export interface Phase {
  readonly name: string;
  readonly seconds: number;
  readonly path: LinkParameters;
  /** How many times longer each side takes. */
  readonly clientLoad?: number;
  readonly serverLoad?: number;
}

export interface PhaseResult {
  readonly phase: string;
  readonly offered: number;
  readonly onTime: number;
  /** Results in time, each by the worth of the way that it came by. */
  readonly worth: number;
}

export interface WorldRun {
  readonly phases: readonly PhaseResult[];
  readonly switches: readonly StrategySwitch[];
  readonly figures: ReturnType<Awaited<ReturnType<typeof createAdaptiveStream>>["figures"]>;
  readonly isSessionLost: boolean;
}

export interface WorldOptions {
  readonly seed: number;
  readonly ways: readonly Way[];
  readonly phases: readonly Phase[];
  readonly framesPerSecond?: number;
  readonly deadlineMs?: number;
  readonly selector?: Partial<AdaptiveStreamOptions<number>>;
}

const delay = (time: VirtualTime, ms: number) =>
  ms > 0 ? new Promise<void>((resolve) => time.schedule(ms, resolve)) : Promise.resolve();

export async function runWorld(options: WorldOptions): Promise<WorldRun> {
  const { seed, ways, phases, framesPerSecond = 30, deadlineMs = 150 } = options;
  const time = createVirtualTime();
  let clientLoad = 1;
  let serverLoad = 1;
  const session = createLinkedSession({
    ...{ time, seed, path: phases[0]!.path },
    async openServedStream({ split }) {
      const { serverMs } = ways.find(({ name }) => name === split)!;
      return serveEach(async () => {
        await delay(time, serverMs * serverLoad);
        return { predictions: [] };
      });
    },
  });
  const switches: StrategySwitch[] = [];
  const opening = createClient(session.client, { clock: time });
  await time.advance(200);
  const client = await opening;
  let isSessionLost = false;
  void client.closed.then(() => {
    isSessionLost = true;
  });
  const adapting = createAdaptiveStream<number>(client, {
    ...{ deadlineMs, framesPerSecond, clock: time },
    candidates: ways.map((way) => candidateOf(way, () => delay(time, way.clientMs * clientLoad))),
    onSwitch: (change) => switches.push(change),
    ...options.selector,
  });
  await time.advance(300);
  const stream = await adapting;
  const results: PhaseResult[] = [];
  const pending: Promise<void>[] = [];
  for (const phase of phases) {
    session.setPath({ loss: 0, ...phase.path });
    ({ clientLoad = 1, serverLoad = 1 } = phase);
    const result = { phase: phase.name, offered: 0, onTime: 0, worth: 0 };
    results.push(result);
    const frames = Math.round(phase.seconds * framesPerSecond);
    for (let i = 0; i < frames; i++) {
      result.offered++;
      const note = (outcome: AdaptiveOutcome) => {
        if (outcome.status !== "delivered" || !outcome.onTime) return;
        result.onTime++;
        result.worth += ways.find(({ name }) => name === outcome.candidate)?.worth ?? 1;
      };
      pending.push(stream.send(i).then(note));
      await time.advance(1_000 / framesPerSecond);
    }
  }
  await time.advance(2_000);
  await Promise.all(pending);
  const figures = stream.figures();
  const lost = isSessionLost;
  client.close();
  const closing = session.close();
  await time.advance(2_000);
  await closing;
  return { phases: results, switches, figures, isSessionLost: lost };
}

function candidateOf(way: Way, work: () => Promise<void>): AdaptiveCandidate<number> {
  const { name, clientMs, serverMs, bytes, worth = 1 } = way;
  const common = { name, worth, terms: { clientMs, encodeMs: 0, bytes, decodeMs: 0, serverMs } };
  if (way.strategy === "client") {
    return { ...common, strategy: "client", run: () => work().then(() => ({ predictions: [] })) };
  }
  const spec = { dtype: "uint8", shape: [bytes], layout: "any" } as const;
  const tensor = createTensor(spec.dtype, spec.shape, undefined, spec.layout);
  return {
    ...{ ...common, strategy: way.strategy, stream: { model: "world", split: name, spec, codec: "raw" } },
    produce: () => work().then(() => tensor),
  };
}

/** The same phases with each way alone. */
export async function runFixed(options: WorldOptions): Promise<ReadonlyMap<string, WorldRun>> {
  const runs = new Map<string, WorldRun>();
  for (const way of options.ways) runs.set(way.name, await runWorld({ ...options, ways: [way] }));
  return runs;
}
