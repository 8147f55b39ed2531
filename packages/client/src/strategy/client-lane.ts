/**
 * The client's part of all candidates: works one after the other. Frames wait for their turn, and only when it comes it is
 * decided whether there is still time for them: what was expected of the work before is not known to be true until it is done.
 * Where works take longer than frames are apart and the last one would soon be late behind the others, the first of them gives way.
 */
import type { Clock } from "@sluice/transport/core";

/** What a frame asks of it; the functions are asked again at its turn. */
export interface LaneWish {
  readonly capturedMs: number;
  /** It goes beside the choice, and gives way to none: it would never be its turn where the choice takes all of the time. */
  readonly isProbe: boolean;
  /** How long the work usually takes. */
  workMs(): number;
  /** When it must be done. */
  latestEndMs(): number;
}

export interface LaneTurn {
  /** Works, and gives the turn back. @throws what the work throws */
  run<T>(work: () => T | Promise<T>): Promise<{ readonly value: T; readonly workMs: number }>;
  /** Gives the turn back; after `run` it does nothing. */
  leave(): void;
}

export interface ClientLane {
  /** Waits for a turn; `undefined`: there is none for this frame. */
  enter(wish: LaneWish): Promise<LaneTurn | undefined>;
}

interface Waiting {
  readonly wish: LaneWish;
  decide(turn: LaneTurn | undefined): void;
}

/** What more than so many wait for takes far longer than frames are apart. */
const maxWaiting = 8;

/** @param concurrency works at once */
export function createClientLane(concurrency: number, clock: Clock): ClientLane {
  const waiting: Waiting[] = [];
  let working = 0;

  function isLate({ wish }: Waiting): boolean {
    return clock.now() + wish.workMs() > wish.latestEndMs();
  }

  /**
   * The first of those that come faster than they are worked on, and would together take more than half of the time that
   * the last one has; `undefined`: they do not. A few that wait behind a moment or a probe are caught up with.
   */
  function findOverrun(): Waiting | undefined {
    const frames = waiting.filter(({ wish }) => !wish.isProbe);
    if (frames.length < 2) return undefined;
    const last = frames.at(-1)!.wish;
    const apartMs = (last.capturedMs - frames[0]!.wish.capturedMs) / (frames.length - 1);
    const eachMs = last.workMs() / concurrency;
    const isLong = frames.length * eachMs > (last.latestEndMs() - clock.now()) / 2;
    return frames.length > maxWaiting || (eachMs > apartMs && isLong) ? frames[0] : undefined;
  }

  function prune(): void {
    for (;;) {
      const turnedAway = waiting.find(isLate) ?? findOverrun();
      if (!turnedAway) return;
      waiting.splice(waiting.indexOf(turnedAway), 1);
      turnedAway.decide(undefined);
    }
  }

  function giveTurns(): void {
    prune();
    while (working < concurrency && waiting.length > 0) waiting.shift()!.decide(createTurn());
  }

  function createTurn(): LaneTurn {
    working++;
    let isOver = false;
    const leave = () => {
      if (isOver) return;
      isOver = true;
      working--;
      giveTurns();
    };
    return {
      async run(work) {
        const startMs = clock.now();
        try {
          const value = await work();
          return { value, workMs: clock.now() - startMs };
        } finally {
          leave();
        }
      },
      leave,
    };
  }

  return {
    enter(wish) {
      // Whoever finds it idle goes, whatever is expected: nothing would be learnt otherwise.
      if (working < concurrency) return Promise.resolve(createTurn());
      return new Promise((decide) => {
        waiting.push({ wish, decide });
        prune();
      });
    },
  };
}
