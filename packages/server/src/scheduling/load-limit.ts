/**
 * The rate that a server announces to its clients when it cannot keep up (spec 4.4), so that they drop frames at their gate
 * instead of sending what would be shed here. One rate for all: whoever wants less has it, the others share the rest alike
 * (max-min fairness).
 */

/** What happened since the last time. */
export interface LoadSample {
  /** Seconds that it covers. */
  readonly seconds: number;
  /** Frames that came, of each session. */
  readonly offered: readonly number[];
  /** Frames that the networks worked on. */
  readonly done: number;
  /** Frames that were shed because they would have been late or the queue was full. */
  readonly shed: number;
  /** Share of the time in which networks worked, 0 to 1, of the busiest one. */
  readonly busy: number;
}

export interface LoadLimit {
  /** Takes a sample; returns frames per second for each session, 0: no limit. */
  update(sample: LoadSample): number;
}

/** Less busy than this it has shed frames for another reason: their deadlines are too short. */
const overloadedShare = 0.7;
/** Of what it managed to do, so much is given out: a queue that is always full makes everything late. */
const givenShare = 0.9;
/** While it has more time to spare than this, it gives out more. */
const comfortableShare = 0.85;
const leastGrowth = 1.1;
/** One sample says so much more at most: what comes at once with a higher limit is not what came before. */
const mostGrowth = 2;
const minFramesPerSecond = 1;

export function createLoadLimit(): LoadLimit {
  let limit = 0;
  return {
    update({ seconds, offered, done, shed, busy }) {
      if (seconds <= 0 || offered.length === 0) return limit;
      if (shed > 0 && busy >= overloadedShare) {
        const demands = offered.map((frames) => frames / seconds);
        const level = fairLevel(demands, (givenShare * done) / seconds);
        // Frames of the sample before were shed: what comes now is no more than it can do.
        if (level === Number.POSITIVE_INFINITY) return limit;
        limit = Math.max(minFramesPerSecond, limit === 0 ? level : Math.min(limit, level));
      } else if (limit > 0 && busy < comfortableShare) {
        // A moment without the processor limits everybody to next to nothing: time to spare says how far that was off.
        limit *= Math.min(mostGrowth, Math.max(leastGrowth, comfortableShare / busy));
        // Nobody has come near it: it limits nothing.
        if (limit > 2 * (Math.max(...offered) / seconds) + minFramesPerSecond) limit = 0;
      }
      return limit;
    },
  };
}

/** The level x at which the sum of min(demand, x) is the capacity. */
export function fairLevel(demands: readonly number[], capacity: number): number {
  let left = capacity;
  const rising = [...demands].sort((a, b) => a - b);
  for (const [i, demand] of rising.entries()) {
    const share = left / (rising.length - i);
    if (demand > share) return share;
    left -= demand;
  }
  return Number.POSITIVE_INFINITY;
}
