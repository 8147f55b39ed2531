/** How a path loses: what forward error correction is planned with. */
export interface PathLoss {
  /** Share of the datagrams that are lost, 0 to 1. */
  readonly share: number;
  /** Mean length of the runs that they form, at least 1. */
  readonly meanRun: number;
}

/** Probabilities of losses among consecutive datagrams. */
export interface LossModel {
  /** That exactly `lost` of `count` are lost. */
  probability(count: number, lost: number): number;
  /** That more than `lost` of `count` are lost. */
  tail(count: number, lost: number): number;
  /** The mean share of those lost where more than `lost` of `count` are, times the probability of that. */
  excess(count: number, lost: number): number;
}

/** Loss above this share is no path to plan for. */
const maxShare = 0.9;

/**
 * The simple Gilbert model (E. N. Gilbert, "Capacity of a burst-noise channel", 1960): a bad state that loses everything
 * and is left with probability 1 / `meanRun`, and a good one that loses nothing and is left so that `share` is lost.
 * With runs of 1 / (1 - `share`) each datagram is lost independently; shorter runs count as that.
 */
export function createLossModel(loss: PathLoss): LossModel {
  const share = Math.min(maxShare, Math.max(0, loss.share));
  const leaveBad = 1 / Math.max(loss.meanRun, 1 / (1 - share));
  const leaveGood = (share * leaveBad) / (1 - share);
  // rows[n][j]: probability that j of n are lost. Made when they are asked for.
  const rows: Float64Array[] = [Float64Array.of(1)];
  // The same, split by the state of the datagram to come.
  let good = Float64Array.of(1 - share);
  let bad = Float64Array.of(share);

  function addRow(): void {
    const count = rows.length;
    const row = new Float64Array(count + 1);
    const nextGood = new Float64Array(count + 1);
    const nextBad = new Float64Array(count + 1);
    for (let j = 0; j <= count; j++) {
      const kept = good[j] ?? 0;
      const lost = j > 0 ? bad[j - 1]! : 0;
      row[j] = kept + lost;
      nextGood[j] = kept * (1 - leaveGood) + lost * leaveBad;
      nextBad[j] = kept * leaveGood + lost * (1 - leaveBad);
    }
    rows.push(row);
    good = nextGood;
    bad = nextBad;
  }

  function rowOf(count: number): Float64Array {
    while (rows.length <= count) addRow();
    return rows[count]!;
  }

  function sumAbove(count: number, lost: number, weight: (j: number) => number): number {
    const row = rowOf(count);
    let sum = 0;
    for (let j = lost + 1; j <= count; j++) sum += row[j]! * weight(j);
    return sum;
  }

  return {
    probability: (count, lost) => rowOf(count)[lost] ?? 0,
    tail: (count, lost) => sumAbove(count, lost, () => 1),
    excess: (count, lost) => sumAbove(count, lost, (j) => j / count),
  };
}
