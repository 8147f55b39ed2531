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
import { type ServedStream, serveEach } from "@sluice/server";
import { createRandom, type LinkParameters } from "@sluice/simnet";
import { createTensor } from "@sluice/tensor";
import { createLinkedSession } from "./linked-session.js";
import { createMachine, type Machine, type SlowMoments } from "./strategy-arena/machine.js";
import { createVirtualTime } from "./virtual-time.js";

export interface Way {
  readonly name: string;
  readonly strategy: "client" | "shared" | "server";
  readonly clientMs: number;
  readonly serverMs: number;
  /** 0: nothing is sent. */
  readonly bytes: number;
  readonly worth?: number;
  /** What the choice is told of it, where that is not how it is. */
  readonly told?: { readonly clientMs: number; readonly serverMs: number; readonly bytes: number };
}

export interface Phase {
  readonly name: string;
  readonly seconds: number;
  readonly path: LinkParameters;
  /** How many times longer each side takes. */
  readonly clientLoad?: number;
  readonly serverLoad?: number;
  /** What changes within it, in order. */
  readonly steps?: readonly PhaseStep[];
}

export interface PhaseStep {
  /** From the beginning of the phase, in milliseconds. */
  readonly atMs: number;
  readonly path: LinkParameters;
}

export interface PhaseResult {
  readonly phase: string;
  readonly offered: number;
  readonly onTime: number;
  /** Results in time, each by the worth of the way that it came by. */
  readonly worth: number;
  /** Of them, those that the work here made up for. */
  readonly rescued: number;
}

export interface WorldRun {
  readonly phases: readonly PhaseResult[];
  readonly switches: readonly StrategySwitch[];
  readonly figures: ReturnType<Awaited<ReturnType<typeof createAdaptiveStream>>["figures"]>;
  /** When and why the session ended before its time; `undefined`: it did not. */
  readonly sessionEnd: string | undefined;
}

export interface WorldOptions {
  readonly seed: number;
  readonly ways: readonly Way[];
  readonly phases: readonly Phase[];
  readonly framesPerSecond?: number;
  readonly deadlineMs?: number;
  /** Of what both machines take for the same work; see `MachineOptions`. */
  readonly spread?: number;
  readonly slowMoments?: SlowMoments | undefined;
  /** Of the device; see `MachineOptions`. */
  readonly slowdown?: number | undefined;
  readonly selector?: Partial<AdaptiveStreamOptions<number>>;
}

export async function runWorld(options: WorldOptions): Promise<WorldRun> {
  const { seed, ways, phases, framesPerSecond = 30, deadlineMs = 150 } = options;
  const { spread, slowMoments, slowdown } = options;
  const time = createVirtualTime();
  const random = createRandom(seed);
  const device = createMachine(time, random.fork("client"), { spread, slowMoments, slowdown });
  /** Ways that differ in their codec alone share a network at the server. */
  const networkOf = (split: string) => split.split(" ", 1)[0]!;
  const hosts = new Map<string, Machine>();
  const served = new Map<string, ServedStream>();
  for (const { name } of ways) {
    const network = networkOf(name);
    if (hosts.has(network)) continue;
    const options = { spread, slowMoments, isSerial: true };
    hosts.set(network, createMachine(time, random.fork(`server ${network}`), options));
  }
  const session = createLinkedSession({
    ...{ time, seed, path: phases[0]!.path },
    async openServedStream({ split }) {
      const name = networkOf(split);
      const { serverMs } = ways.find((way) => way.name === split)!;
      if (!served.has(name)) {
        const each = serveEach(async () => {
          await hosts.get(name)!.work(serverMs);
          return { predictions: [] };
        });
        served.set(name, { ...each, network: { ...each.network, isSerial: true } });
      }
      return served.get(name)!;
    },
  });
  const switches: StrategySwitch[] = [];
  const opening = createClient(session.client, { clock: time });
  await time.advance(200);
  const client = await opening;
  let sessionEnd: string | undefined;
  void client.closed.then(({ reason }) => {
    sessionEnd = `${(time.now() / 1_000).toFixed(1)} s: ${reason}`;
  });
  const adapting = createAdaptiveStream<number>(client, {
    ...{ deadlineMs, framesPerSecond, clock: time },
    candidates: ways.map((way) => candidateOf(way, () => device.work(way.clientMs))),
    onSwitch: (change) => switches.push(change),
    ...options.selector,
  });
  await time.advance(300);
  const stream = await adapting;
  const results: PhaseResult[] = [];
  const pending: Promise<void>[] = [];
  for (const phase of phases) {
    session.setPath({ loss: 0, ...phase.path });
    device.load = phase.clientLoad ?? 1;
    for (const host of hosts.values()) host.load = phase.serverLoad ?? 1;
    const result = { phase: phase.name, offered: 0, onTime: 0, worth: 0, rescued: 0 };
    results.push(result);
    for (const { atMs, path } of phase.steps ?? []) time.schedule(atMs, () => session.setPath(path));
    const frames = Math.round(phase.seconds * framesPerSecond);
    for (let i = 0; i < frames; i++) {
      result.offered++;
      const note = (outcome: AdaptiveOutcome) => {
        if (outcome.status !== "delivered" || !outcome.onTime) return;
        result.onTime++;
        if (outcome.candidate !== outcome.choice) result.rescued++;
        result.worth += ways.find(({ name }) => name === outcome.candidate)?.worth ?? 1;
      };
      pending.push(stream.send(i).then(note));
      await time.advance(1_000 / framesPerSecond);
    }
  }
  await time.advance(2_000);
  await Promise.all(pending);
  const figures = stream.figures();
  const lost = sessionEnd;
  client.close();
  const closing = session.close();
  await time.advance(2_000);
  await closing;
  return { phases: results, switches, figures, sessionEnd: lost };
}

function candidateOf(way: Way, work: () => Promise<void>): AdaptiveCandidate<number> {
  const { name, bytes, worth = 1, told = way } = way;
  const { clientMs, serverMs } = told;
  const common = { name, worth, terms: { clientMs, encodeMs: 0, bytes: told.bytes, decodeMs: 0, serverMs } };
  if (way.strategy === "client") {
    return { ...common, strategy: "client", run: () => work().then(() => ({ predictions: [] })) };
  }
  const spec = { dtype: "uint8", shape: [bytes], layout: "any" } as const;
  const tensor = createTensor(spec.dtype, spec.shape, undefined, spec.layout);
  return {
    ...{
      ...common,
      strategy: way.strategy,
      stream: { model: "world", split: name, spec, codec: "raw", concealment: "zero" },
    },
    produce: () => work().then(() => tensor),
  };
}

/** The same phases with each way alone. */
export async function runFixed(options: WorldOptions): Promise<ReadonlyMap<string, WorldRun>> {
  const runs = new Map<string, WorldRun>();
  for (const way of options.ways) runs.set(way.name, await runWorld({ ...options, ways: [way] }));
  return runs;
}
