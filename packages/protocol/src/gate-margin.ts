/**
 * How much later than the gate reckons a frame may leave that waits behind others, as a share of the deadline. It follows what became of the frames that were
 * admitted: it rises with each that was late and falls with each that was not, by steps that balance where one in so
 * many is late (stochastic approximation of a quantile, Robbins and Monro 1951).
 */
export interface GateMargin {
  /** An admitted frame has ended. */
  add(onTime: boolean): void;
  /** 0 to 1. */
  readonly share: number;
}

const minShare = 0.1;
const maxShare = 0.2;
const rise = 0.05;
/** One late frame in so many is what the margin settles at. */
const balance = 400;

export function createGateMargin(): GateMargin {
  let share = minShare;
  return {
    add(onTime) {
      share = Math.min(maxShare, Math.max(minShare, share + (onTime ? -rise / balance : rise)));
    },
    get share() {
      return share;
    },
  };
}
