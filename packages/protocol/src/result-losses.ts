/** What becomes of results: how many sendings go unacknowledged, and whether the client listens at all (spec 7.1). */
export interface ResultLosses {
  /** A result has ended, or is not waited for any more: so many of its sendings were acknowledged. */
  learn(sends: number, acknowledgements: number): void;
  /** Share of the datagrams that were lost the other way, 0 to 1: what may be expected while nothing else is known. */
  setPathLoss(share: number): void;
  /** An acknowledgement has come. */
  heed(): void;
  /** Losses are such that waiting for an acknowledgement costs deadlines. */
  readonly isHasty: boolean;
  /** Nearly nothing is acknowledged. */
  readonly isUnheeded: boolean;
}

/**
 * Where more results or acknowledgements than this are lost, a result is repeated without waiting while it can still be in time.
 * Results are small beside the tensors that they answer.
 */
const hastyAboveLoss = 0.005;
/**
 * Where more than this share goes unacknowledged, the client does not listen, or nothing reaches it: nearly all that is
 * sent would be repeats for nobody.
 */
const unheededAboveLoss = 0.9;
/** Results that must have gone so at least. */
const unheededResults = 16;
/** What an acknowledgement makes of that share: a dozen results in vain, and the client is again one that does not listen. */
const heededLoss = 0.85;
/** Results over which the share is smoothed. */
const smoothedResults = 32;

export function createResultLosses(): ResultLosses {
  /** Smoothed share of sendings that were not acknowledged, and the results that it is of. */
  let lossShare = 0;
  let learned = 0;
  let pathLossShare = 0;

  const isUnheeded = () => learned >= unheededResults && lossShare > unheededAboveLoss;

  return {
    learn(sends, acknowledgements) {
      learned++;
      const lost = 1 - Math.min(1, acknowledgements / sends);
      lossShare += (lost - lossShare) / Math.min(learned, smoothedResults);
    },
    setPathLoss(share) {
      pathLossShare = share;
    },
    heed() {
      if (isUnheeded()) lossShare = heededLoss;
    },
    get isHasty() {
      return Math.max(lossShare, pathLossShare) >= hastyAboveLoss && !isUnheeded();
    },
    get isUnheeded() {
      return isUnheeded();
    },
  };
}
