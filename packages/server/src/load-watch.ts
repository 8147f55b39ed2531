/** Looks at the load twice a second, as long as there are sessions, and says what each of them may send. */
import type { Clock } from "@sluice/transport";
import type { Connection } from "./connection.js";
import { createLoadLimit } from "./scheduling/load-limit.js";
import type { Scheduler } from "./scheduling/scheduler.js";

export interface LoadWatchOptions {
  readonly clock: Clock;
  readonly connections: ReadonlySet<Pick<Connection, "framesOffered">>;
  readonly scheduler: Pick<Scheduler, "figures">;
  /** The limit has changed; 0: there is none. */
  readonly onLimit: (framesPerSecond: number) => void;
}

export interface LoadWatch {
  /** Frames per second for each session; 0: no limit. */
  readonly framesPerSecond: number;
  /** A session has come or gone. */
  sessionsChanged(): void;
}

const intervalMs = 500;
/** Smaller changes are not worth a message. */
const worthTelling = 0.05;

export function createLoadWatch({ clock, connections, scheduler, onLimit }: LoadWatchOptions): LoadWatch {
  let limit = createLoadLimit();
  const offeredBefore = new WeakMap<object, number>();
  let announced = 0;
  let timer: unknown;
  let before = scheduler.figures;
  let lookedAtMs = clock.now();

  function look(): void {
    const nowMs = clock.now();
    const { figures } = scheduler;
    const offered = [...connections].map((connection) => {
      const frames = connection.framesOffered - (offeredBefore.get(connection) ?? 0);
      offeredBefore.set(connection, connection.framesOffered);
      return frames;
    });
    const wanted = limit.update({
      seconds: (nowMs - lookedAtMs) / 1_000,
      offered,
      done: figures.frames - before.frames,
      shed: figures.shed - before.shed,
      busy: (figures.busyMs - before.busyMs) / (nowMs - lookedAtMs),
    });
    before = figures;
    lookedAtMs = nowMs;
    if (Math.abs(wanted - announced) > worthTelling * announced) {
      announced = wanted;
      onLimit(wanted);
    }
    timer = clock.schedule(intervalMs, look);
  }

  return {
    get framesPerSecond() {
      return announced;
    },
    sessionsChanged() {
      if (connections.size > 0 && timer === undefined) {
        before = scheduler.figures;
        lookedAtMs = clock.now();
        timer = clock.schedule(intervalMs, look);
      } else if (connections.size === 0 && timer !== undefined) {
        clock.cancel(timer);
        timer = undefined;
        // Whoever comes next finds an idle server.
        limit = createLoadLimit();
        const wasLimited = announced > 0;
        announced = 0;
        if (wasLimited) onLimit(0);
      }
    },
  };
}
