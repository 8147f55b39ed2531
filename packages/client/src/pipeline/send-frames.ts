/** Feeds frames of a source to a sink and hands out what became of them, with a bound on what is under way and unread. */
import { createSystemClock } from "@sluice/transport/core";
import { countOutcome, createFrameCounts } from "../frame-counts.js";
import type { FrameOutcome } from "../frame-outcome.js";
import type {
  FrameResult,
  FrameResults,
  FrameSink,
  FrameSource,
  SendFramesFigures,
  SendFramesOptions,
} from "./pipeline-api.js";

/** What passes by itself: a source that can wait tries again. */
const passing: ReadonlySet<string> = new Set(["in-flight", "server-limit", "bandwidth", "not-open"]);
const againMs = 10;

/** Results that may wait to be taken; with so many the source waits, whatever kind it is. */
const maxUnread = 64;

/** @throws RangeError naming the option; the iteration throws what the source or the sink throws */
export function sendFrames<Frame, Outcome extends FrameOutcome>(
  source: FrameSource<Frame>,
  sink: FrameSink<Frame, Outcome>,
  options: SendFramesOptions = {},
): FrameResults<Frame, Outcome> {
  const { maxInFlight = 8, whenFull = "drop", signal } = options;
  const clock = options.clock ?? createSystemClock(globalThis);
  if (!Number.isSafeInteger(maxInFlight) || maxInFlight < 1) {
    throw new RangeError(`maxInFlight must be a whole number from 1, got ${maxInFlight}`);
  }
  const counts = createFrameCounts();
  const results: FrameResult<Frame, Outcome>[] = [];
  let failure: { readonly error: unknown } | undefined;
  let hasEnded = false;
  let wakePuller = () => {};
  let wakeReader = () => {};
  const isOver = () => hasEnded || failure !== undefined || signal?.aborted === true;

  function add(frame: Frame, outcome: Outcome | FrameOutcome): void {
    countOutcome(counts, outcome);
    results.push({ frame, outcome });
    wakeReader();
  }

  const sleep = (ms: number) => new Promise<void>((resolve) => clock.schedule(ms, resolve));

  async function offer(frame: Frame): Promise<void> {
    counts.inFlight++;
    try {
      let outcome = await sink.send(frame, clock.now());
      while (
        whenFull === "wait" &&
        outcome.status === "dropped" &&
        passing.has(outcome.reason) &&
        !isOver()
      ) {
        await sleep(againMs);
        outcome = await sink.send(frame, clock.now());
      }
      add(frame, outcome);
    } catch (error) {
      counts.failed++;
      // What fails because everything was ended is no news.
      if (!isOver()) failure = { error };
    } finally {
      counts.inFlight--;
      wakePuller();
      wakeReader();
    }
  }

  async function waitWhile(isFull: () => boolean): Promise<void> {
    while (isFull() && !isOver()) {
      await new Promise<void>((resolve) => {
        wakePuller = resolve;
      });
    }
  }

  async function pull(): Promise<void> {
    try {
      for await (const frame of source) {
        if (isOver()) break;
        await waitWhile(() => results.length >= maxUnread);
        if (whenFull === "wait") await waitWhile(() => counts.inFlight >= maxInFlight);
        if (isOver()) break;
        counts.offered++;
        if (counts.inFlight < maxInFlight) {
          void offer(frame);
          continue;
        }
        add(frame, { status: "dropped", reason: "in-flight" });
        // A source that never waits would keep the network from its turn.
        await sleep(0);
      }
    } catch (error) {
      failure ??= { error };
    }
    await waitWhile(() => counts.inFlight > 0);
    hasEnded = true;
    wakeReader();
  }

  async function* read(): AsyncGenerator<FrameResult<Frame, Outcome>> {
    const wake = () => {
      wakeReader();
      wakePuller();
    };
    signal?.addEventListener("abort", wake);
    void pull();
    try {
      for (;;) {
        while (results.length > 0) {
          const result = results.shift()!;
          wakePuller();
          yield result;
        }
        if (failure) throw failure.error;
        if (isOver()) return;
        await new Promise<void>((resolve) => {
          wakeReader = resolve;
        });
      }
    } finally {
      hasEnded = true;
      wakePuller();
      signal?.removeEventListener("abort", wake);
    }
  }

  const iterator = read();
  return {
    [Symbol.asyncIterator]: () => iterator,
    figures: (): SendFramesFigures => ({ ...counts, unread: results.length }),
  };
}
