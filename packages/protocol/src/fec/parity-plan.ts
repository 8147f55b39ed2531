/**
 * How many repair symbols protect which datagrams (spec 5.8). Every group gets the fewest symbols with which it is
 * decoded almost always; where the budget does not reach that far, each symbol goes where it lowers the expected lost
 * importance most: unequal protection (Albanese et al., "Priority encoding transmission", 1996).
 */
import { maxFecSources } from "../limits.js";
import type { LossModel } from "./loss-model.js";

export interface ParityGroup {
  /** Places in the list of datagrams, rising. */
  readonly members: readonly number[];
  readonly symbols: number;
}

export interface ParityRequest {
  /** What each datagram is worth, in the order in which they were sent; only ratios count. */
  readonly importances: readonly number[];
  /** All groups together, at most. */
  readonly maxSymbols: number;
  readonly loss: LossModel;
  /** Whether a group has one symbol at most. */
  readonly isXor: boolean;
}

/** A group that stays undecoded no more often than this is protected enough. */
const targetFailure = 0.01;
/** Symbols that take away less than this share of the expected loss are not worth their bytes. */
const minGain = 0.2;
/** Places where a frame may be cut in more and less important datagrams. */
const cuts = 8;

/** The groups that get symbols; none where no loss is expected or the budget has no room. */
export function planParity(request: ParityRequest): ParityGroup[] {
  const { importances, maxSymbols, loss, isXor } = request;
  if (importances.length === 0 || maxSymbols < 1 || loss.tail(1, 0) === 0) return [];
  if (isXor) return planXor(request);
  let best = allocate([inOrder(importances)], request);
  if (importances.some((importance) => importance !== importances[0])) {
    const ranked = inOrder(importances).sort((a, b) => importances[b]! - importances[a]!);
    for (let i = 1; i < cuts; i++) {
      const at = Math.round((i * ranked.length) / cuts);
      if (at === 0 || at === ranked.length) continue;
      const plan = allocate([ranked.slice(0, at), ranked.slice(at)], request);
      if (plan.lost < best.lost * (1 - epsilon)) best = plan;
    }
  }
  if (best.lost > (1 - minGain) * best.lostWithout) return [];
  return best.groups
    .filter(({ symbols }) => symbols > 0)
    .map(({ members, symbols }) => ({ members, symbols }));
}

const epsilon = 1e-9;

interface Draft {
  readonly members: number[];
  readonly importance: number;
  symbols: number;
}

/** Spreads the budget over classes of datagrams, each cut into groups of even size. */
function allocate(classes: readonly number[][], { importances, maxSymbols, loss }: ParityRequest) {
  const groups: Draft[] = classes.flatMap((members) =>
    chunks(members.toSorted((a, b) => a - b)).map((chunk) => ({
      members: chunk,
      importance: chunk.reduce((sum, place) => sum + importances[place]!, 0),
      symbols: 0,
    })),
  );
  const lostOf = ({ members, importance }: Draft, symbols: number) =>
    importance * loss.excess(members.length + symbols, symbols);
  const lostWithout = groups.reduce((sum, group) => sum + lostOf(group, 0), 0);
  for (let left = maxSymbols; left > 0; ) {
    // A first symbol may bring little where several are lost at once: so steps of any size are compared by their slope.
    let best: { group: Draft; step: number; slope: number } | undefined;
    for (const group of groups) {
      const count = group.members.length;
      if (loss.tail(count + group.symbols, group.symbols) <= targetFailure) continue;
      const before = lostOf(group, group.symbols);
      const most = Math.min(left, maxFecSources - group.symbols);
      for (let step = 1; step <= most; step++) {
        const symbols = group.symbols + step;
        const slope = (before - lostOf(group, symbols)) / step;
        if (slope > 0 && (!best || slope > best.slope)) best = { group, step, slope };
        if (loss.tail(count + symbols, symbols) <= targetFailure) break;
      }
    }
    if (!best) break;
    best.group.symbols += best.step;
    left -= best.step;
  }
  return { groups, lostWithout, lost: groups.reduce((sum, group) => sum + lostOf(group, group.symbols), 0) };
}

/** One symbol for each of as many interleaved groups as a run of losses is long. */
function planXor({ importances, maxSymbols, loss }: ParityRequest): ParityGroup[] {
  const count = importances.length;
  const least = Math.ceil(count / maxFecSources);
  if (maxSymbols < least) return [];
  let groups = Math.min(count, least);
  while (groups < Math.min(maxSymbols, count) && loss.tail(count + groups, groups) > targetFailure) groups++;
  return Array.from({ length: groups }, (_, first) => {
    const members: number[] = [];
    for (let place = first; place < count; place += groups) members.push(place);
    return { members, symbols: 1 };
  });
}

function inOrder(importances: readonly number[]): number[] {
  return importances.map((_, place) => place);
}

/** Runs of even length that fit a group. */
function chunks(members: readonly number[]): number[][] {
  const count = Math.ceil(members.length / maxFecSources);
  return Array.from({ length: count }, (_, i) =>
    members.slice(Math.floor((i * members.length) / count), Math.floor(((i + 1) * members.length) / count)),
  );
}
