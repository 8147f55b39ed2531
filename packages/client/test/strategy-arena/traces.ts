/** Paths and servers that change in other ways than from one phase to the next: as traces of real networks do. */
import type { LinkParameters } from "@sluice/simnet";
import type { Phase, PhaseStep, Way } from "../adaptive-world.js";
import type { Draws } from "./draws.js";

/** What all phases of a trace have in common. */
interface Base {
  readonly draw: Draws;
  /** At which a tensor of one of the ways takes about the deadline, in bits per second. */
  readonly middle: number;
  readonly path: LinkParameters;
}

type Kind = (base: Base) => Phase[];

const bitsPerSecond = [0.1e6, 100e6] as const;
const stepMs = 100;

/** @param deadline in milliseconds */
export function drawTrace(draw: Draws, ways: readonly Way[], deadline: number): Phase[] {
  const sent = ways.filter(({ bytes }) => bytes > 0);
  const { bytes } = sent[Math.floor(draw.even(0, sent.length))]!;
  const middle = within((bytes * 8_000) / (deadline * draw.log(0.3, 0.8)));
  const path = {
    ...{ delayMs: draw.log(5, 150) / 2, queueMs: draw.even(50, 400) },
    jitterMs: draw.chance(0.5) ? draw.log(1, 25) : 0,
    ...(draw.chance(0.3) ? { loss: draw.even(0, 0.03), burst: draw.even(1, 4) } : { loss: 0, burst: 1 }),
  };
  const names = Object.keys(kinds);
  const name = names[Math.floor(draw.even(0, names.length))]!;
  return kinds[name]!({ draw, middle, path }).map((phase) => ({ ...phase, name: `${name}: ${phase.name}` }));
}

const kinds: Readonly<Record<string, Kind>> = {
  /** Each as likely up as down, by any factor, for any time. */
  steps({ draw, middle, path }) {
    return times(6, () => {
      const rate = within(middle * draw.log(1 / 12, 12));
      return { name: words(rate), seconds: whole(draw.log(1.5, 10)), path: { ...path, ...at(rate) } };
    });
  },
  /** Down and up again, and how it then stays. */
  ramps({ draw, middle, path }) {
    const [low, high] = [within(middle / draw.log(3, 15)), within(middle * draw.log(3, 15))];
    const ramp = (from: number, to: number) => {
      const seconds = whole(draw.even(4, 12));
      const steps = each(seconds, (share) => ({ path: at(from * (to / from) ** share) }));
      return { name: `${words(from)} to ${words(to)}`, seconds, path: { ...path, ...at(from) }, steps };
    };
    const stay = (rate: number) => ({ name: words(rate), seconds: 3, path: { ...path, ...at(rate) } });
    return [stay(high), ramp(high, low), stay(low), ramp(low, high), stay(high), ramp(high, low)];
  },
  /** Up slowly and down at once, again and again. */
  sawtooth({ draw, middle, path }) {
    const [low, high] = [within(middle / draw.log(2, 8)), within(middle * draw.log(2, 8))];
    const periodS = draw.log(1, 5);
    return times(3, () => ({
      ...{ name: `${words(low)} to ${words(high)} in ${periodS.toFixed(1)} s`, seconds: 8, path },
      steps: each(8, (share) => ({ path: at(low * (high / low) ** (((share * 8) / periodS) % 1)) })),
    }));
  },
  /** Several, short and long. */
  blackouts({ draw, middle, path }) {
    const rate = within(middle * draw.log(1, 8));
    const lit = () => ({
      ...{ name: words(rate), seconds: whole(draw.even(3, 7)), path: { ...path, ...at(rate) } },
    });
    const dark = () => {
      const seconds = draw.log(0.3, 3);
      return { name: `dark ${seconds.toFixed(1)} s`, seconds, path: { ...path, ...at(rate), ...lostAll } };
    };
    return [lit(), ...times(4, () => [dark(), lit()]).flat()];
  },
  /** Moments in which much is lost and little carried. */
  fades({ draw, middle, path }) {
    const rate = within(middle * draw.log(1, 8));
    return times(3, () => {
      const everyS = draw.even(2, 4);
      const lastS = draw.even(0.4, 1.2);
      const faded = { loss: draw.even(0.1, 0.4), burst: draw.even(5, 20), ...at(rate / draw.log(2, 8)) };
      const steps = each(9, (share) => ({
        path: (share * 9) % everyS < lastS ? { ...path, ...faded } : { ...path, ...at(rate) },
      }));
      const name = `${words(rate)}, for ${lastS.toFixed(1)} of ${everyS.toFixed(1)} s ${words(faded.rateBitsPerSecond)}, loss ${faded.loss.toFixed(2)}`;
      return { name, seconds: 9, path, steps };
    });
  },
  /** Another way to the server, of much the same rate. */
  routes({ draw, middle, path }) {
    return times(6, () => {
      const rate = within(middle * draw.log(0.5, 4));
      const rttMs = draw.log(10, 200);
      const name = `${words(rate)}, ${rttMs.toFixed(0)} ms`;
      return { name, seconds: whole(draw.even(3, 7)), path: { ...path, ...at(rate), delayMs: rttMs / 2 } };
    });
  },
  /** The server's load comes and goes. */
  loads({ draw, middle, path }) {
    const rate = within(middle * draw.log(1, 6));
    return times(6, (i) => {
      const serverLoad = i % 2 === 1 ? draw.log(1.5, 12) : 1;
      const name = `${words(rate)}, server x${serverLoad.toFixed(1)}`;
      return { name, seconds: whole(draw.even(2, 6)), path: { ...path, ...at(rate) }, serverLoad };
    });
  },
  /** As a phone's: a walk of the logarithm, which comes back. */
  walk({ draw, middle, path }) {
    let way = 0;
    const restless = draw.log(0.05, 0.4);
    return times(4, () => ({
      ...{ name: `about ${words(middle)} by ${restless.toFixed(2)}`, seconds: 7, path },
      steps: each(7, () => {
        way = 0.98 * way + restless * (draw.even(-1, 1) + draw.even(-1, 1));
        return { path: at(within(middle * Math.exp(way))) };
      }),
    }));
  },
};

const lostAll = { loss: 1, burst: 1 };

function at(rate: number): { readonly rateBitsPerSecond: number } {
  return { rateBitsPerSecond: rate };
}

function within(rate: number): number {
  return Math.min(bitsPerSecond[1], Math.max(bitsPerSecond[0], rate));
}

function words(rate: number): string {
  return `${(rate / 1e6).toPrecision(2)} Mbit/s`;
}

function whole(seconds: number): number {
  return Math.max(1, Math.round(seconds));
}

function times<T>(count: number, of: (i: number) => T): T[] {
  return Array.from({ length: count }, (_, i) => of(i));
}

/** @param of what holds after a share of the phase, 0 to 1 */
function each(seconds: number, of: (share: number) => Omit<PhaseStep, "atMs">): PhaseStep[] {
  const count = Math.round((seconds * 1_000) / stepMs);
  return times(count, (i) => ({ atMs: i * stepMs, ...of(i / count) }));
}
