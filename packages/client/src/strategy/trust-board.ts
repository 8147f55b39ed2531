/**
 * The trust in all candidates. What fails with less of everything (bytes, work here, work at the server) fails with more,
 * and what succeeds with more succeeds with less: of such a pair the one that was used last speaks for both. Else each of
 * them would have to fail in turn where a path or a server has become a worse one.
 */
import type { StrategyCandidate } from "./strategy-api.js";
import { createTrust, type Trust } from "./trust.js";

export interface TrustBoard {
  readonly of: (name: string) => Trust;
  /** See {@link Trust.value}, with what others tell of it. */
  value(name: string, nowMs: number): number;
  /** What came of these candidates says nothing any more. */
  reset(isConcerned: (candidate: StrategyCandidate) => boolean): void;
}

interface Entry {
  readonly candidate: StrategyCandidate;
  readonly trust: Trust;
  /** Those that need no more, and those that need no less. */
  lighter: readonly Entry[];
  heavier: readonly Entry[];
}

/** Terms are the same within so much: they were measured. */
const sameShare = 1.1;
const sameMs = 2;

export function createTrustBoard(candidates: readonly StrategyCandidate[]): TrustBoard {
  const entries: Entry[] = candidates.map((candidate) => ({
    ...{ candidate, trust: createTrust(), lighter: [], heavier: [] },
  }));
  for (const entry of entries) {
    const others = entries.filter((other) => other !== entry);
    entry.lighter = others.filter((other) => needsNoMore(other.candidate, entry.candidate));
    entry.heavier = others.filter((other) => needsNoMore(entry.candidate, other.candidate));
  }
  const byName = new Map(entries.map((entry) => [entry.candidate.name, entry]));
  return {
    of: (name) => byName.get(name)!.trust,
    value(name, nowMs) {
      const { trust, lighter, heavier } = byName.get(name)!;
      let value = trust.value(nowMs);
      for (const other of lighter)
        if (other.trust.learntMs > trust.learntMs) value = Math.min(value, other.trust.value(nowMs));
      for (const other of heavier)
        if (other.trust.learntMs > trust.learntMs)
          value = Math.max(value, Math.min(1, other.trust.value(nowMs)));
      return value;
    },
    reset(isConcerned) {
      for (const { candidate, trust } of entries) if (isConcerned(candidate)) trust.reset();
    },
  };
}

function needsNoMore({ terms: a }: StrategyCandidate, { terms: b }: StrategyCandidate): boolean {
  const within = (less: number, more: number) => less <= more * sameShare + sameMs;
  return (
    a.bytes > 0 &&
    b.bytes > 0 &&
    a.bytes <= b.bytes &&
    within(a.clientMs + a.encodeMs, b.clientMs + b.encodeMs) &&
    within(a.decodeMs + a.serverMs, b.decodeMs + b.serverMs)
  );
}
