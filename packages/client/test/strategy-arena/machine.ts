/** A machine on virtual time: work takes longer under load, by chance, and in moments in which everything stands nearly still. */
import type { Random } from "@sluice/simnet";
import type { VirtualTime } from "../virtual-time.js";

export interface MachineOptions {
  /** Spread of the time that the same work takes: the standard deviation of its logarithm. Default 0. */
  readonly spread?: number | undefined;
  /** Moments in which hardly anything is done, as hosts of virtual machines have them. Default: none. */
  readonly slowMoments?: SlowMoments | undefined;
  /** Whether it does one thing after another. Default false. */
  readonly isSerial?: boolean;
  /**
   * So many times quicker than it seems: after each work it waits for the rest of its time, as `sluice stream --slowdown`
   * does, so that what a slow moment costs a work is multiplied as well. Default 1.
   */
  readonly slowdown?: number | undefined;
}

export interface SlowMoments {
  readonly everyMs: number;
  readonly lastMs: number;
  /** What is done in them of what is done otherwise, above 0. */
  readonly speed: number;
}

export interface Machine {
  /** Resolves when work is done that takes so long on an idle machine. */
  work(ms: number): Promise<void>;
  /** How many times longer everything takes from now on. */
  load: number;
}

export function createMachine(time: VirtualTime, random: Random, options: MachineOptions = {}): Machine {
  const { spread = 0, slowMoments, isSerial = false, slowdown = 1 } = options;
  let freeAtMs = 0;
  const machine: Machine = {
    load: 1,
    async work(ms) {
      if (ms <= 0) return;
      const startMs = isSerial ? Math.max(time.now(), freeAtMs) : time.now();
      const workMs = (ms * machine.load * Math.exp(spread * drawNormal(random))) / slowdown;
      const endMs = startMs + slowdown * (endOf(startMs, workMs, slowMoments) - startMs);
      freeAtMs = endMs;
      await new Promise<void>((resolve) => time.schedule(endMs - time.now(), resolve));
    },
  };
  return machine;
}

function endOf(startMs: number, workMs: number, slow: SlowMoments | undefined): number {
  if (!slow) return startMs + workMs;
  let nowMs = startMs;
  let leftMs = workMs;
  for (;;) {
    const phaseMs = nowMs % slow.everyMs;
    const isSlow = phaseMs < slow.lastMs;
    const stretchMs = (isSlow ? slow.lastMs : slow.everyMs) - phaseMs;
    const speed = isSlow ? slow.speed : 1;
    if (leftMs <= stretchMs * speed) return nowMs + leftMs / speed;
    leftMs -= stretchMs * speed;
    // Never the same moment again, whatever rounding leaves of it.
    nowMs += Math.max(stretchMs, 1e-6);
  }
}

/** Box and Muller. */
function drawNormal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next());
}
