/** What waits to be exported: bounded, in batches, tried again where that helps, and nobody waits for it. */
import type { Clock } from "@sluice/transport";

/** What became of a batch. */
export type Sent =
  | { readonly outcome: "done" }
  /** It may work later; `afterMs` where the other end says when. */
  | { readonly outcome: "again"; readonly reason: string; readonly afterMs?: number }
  /** It will never work. */
  | { readonly outcome: "refused"; readonly reason: string };

export interface ExportQueueOptions<T> {
  readonly clock: Clock;
  /** 0 to 1, for what spreads out attempts. */
  random(): number;
  /** Must not reject. */
  send(batch: readonly T[]): Promise<Sent>;
  /** Once for each run of failures. */
  onFailure(reason: string): void;
  /** Items that wait at most; what comes beyond is dropped. */
  readonly maxWaiting: number;
  readonly maxBatch: number;
  /** What has come is sent after so long at the latest. */
  readonly intervalMs: number;
}

export interface ExportFigures {
  readonly exported: number;
  /** Given up for want of room, or because the time was over at the end. */
  readonly dropped: number;
  /** Given up after the last attempt, or refused. */
  readonly failed: number;
}

export interface ExportQueue<T> {
  push(item: T): void;
  /** Sends what waits, for so long at most; what is left then is dropped. Idempotent. */
  close(timeoutMs: number): Promise<void>;
  readonly figures: ExportFigures;
}

const maxAttempts = 5;
const firstDelayMs = 1_000;
const maxDelayMs = 30_000;
/** However long the other end asks for. */
const maxAskedMs = 300_000;

export function createExportQueue<T>(options: ExportQueueOptions<T>): ExportQueue<T> {
  const { clock, maxWaiting, maxBatch } = options;
  let waiting: T[] = [];
  let batch: readonly T[] = [];
  let attempts = 0;
  let isSending = false;
  let isFailing = false;
  let closing: Promise<void> | undefined;
  let timer: unknown;
  let figures = { exported: 0, dropped: 0, failed: 0 };
  let finish: (() => void) | undefined;

  const count = (what: keyof ExportFigures, by: number) => {
    figures = { ...figures, [what]: figures[what] + by };
  };

  function wake(delayMs: number): void {
    if (timer !== undefined) clock.cancel(timer);
    timer = clock.schedule(delayMs, () => {
      timer = undefined;
      void next();
    });
  }

  /** How long to wait before the next attempt: twice as long each time, and spread out. */
  function delayMs(): number {
    const longest = Math.min(maxDelayMs, firstDelayMs * 2 ** (attempts - 1));
    return longest * (0.5 + options.random() / 2);
  }

  function giveUp(reason: string): void {
    count("failed", batch.length);
    batch = [];
    attempts = 0;
    if (!isFailing) options.onFailure(reason);
    isFailing = true;
  }

  async function next(): Promise<void> {
    if (isSending) return;
    if (batch.length === 0) {
      batch = waiting.slice(0, maxBatch);
      waiting = waiting.slice(maxBatch);
    }
    if (batch.length === 0) {
      finish?.();
      return;
    }
    isSending = true;
    attempts++;
    const sent = await options.send(batch);
    isSending = false;
    // It has been counted as dropped: the time was over.
    if (batch.length === 0) return;
    if (sent.outcome === "again" && attempts < maxAttempts) {
      if (!isFailing) options.onFailure(sent.reason);
      isFailing = true;
      wake(Math.max(Math.min(sent.afterMs ?? 0, maxAskedMs), delayMs()));
      return;
    }
    if (sent.outcome === "done") {
      count("exported", batch.length);
      batch = [];
      attempts = 0;
      isFailing = false;
    } else giveUp(sent.reason);
    if (waiting.length >= maxBatch || closing) void next();
    else if (waiting.length > 0) wake(options.intervalMs);
  }

  async function end(timeoutMs: number): Promise<void> {
    let timeoutTimer: unknown;
    const timeout = new Promise<void>((resolve) => {
      timeoutTimer = clock.schedule(timeoutMs, resolve);
    });
    const done = new Promise<void>((resolve) => {
      finish = resolve;
    });
    // What waits for its next attempt is tried now: there may be no later.
    if (timer !== undefined) clock.cancel(timer);
    void next();
    await Promise.race([done, timeout]);
    clock.cancel(timeoutTimer);
    if (timer !== undefined) clock.cancel(timer);
    count("dropped", batch.length + waiting.length);
    batch = [];
    waiting = [];
  }

  return {
    push(item) {
      if (closing || waiting.length >= maxWaiting) {
        count("dropped", 1);
        return;
      }
      waiting.push(item);
      if (isSending || attempts > 0) return;
      if (waiting.length >= maxBatch) void next();
      else if (timer === undefined) wake(options.intervalMs);
    },
    close(timeoutMs) {
      closing ??= end(timeoutMs);
      return closing;
    },
    get figures() {
      return figures;
    },
  };
}
