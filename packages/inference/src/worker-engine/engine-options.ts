import { availableParallelism } from "node:os";
import { EngineError } from "../engine.js";
import type { EngineOptions } from "../network.js";

/** @throws EngineError `bad-input` naming the option */
export function integerOption(
  name: string,
  value: number | undefined,
  fallback: number,
  max: number,
): number {
  if (value === undefined) return fallback;
  if (!Number.isInteger(value) || value < 1 || value > max) {
    throw new EngineError("bad-input", `${name}: must be an integer of 1..${max}, got ${value}`);
  }
  return value;
}

/** One core less than there are (the network's), at most 4. */
export function defaultThreads(): number {
  return Math.min(4, Math.max(1, availableParallelism() - 1));
}

/** The options' numbers, checked. @throws EngineError `bad-input` */
export function checkOptions(options: EngineOptions): { threads: number; maxPendingRuns: number } {
  return {
    threads: integerOption("threads", options.threads, defaultThreads(), 64),
    maxPendingRuns: integerOption("maxPendingRuns", options.maxPendingRuns, 64, 65536),
  };
}
