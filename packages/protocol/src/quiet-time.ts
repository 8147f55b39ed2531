/**
 * How long nothing may come of a frame before what is missing counts as lost: as long as the gaps between the slices of
 * the last frames allow. Where the end of a frame was lost, this is what its answer waits for (spec 5.5).
 */
export interface QuietTime {
  /** A slice came so long after the one before it, of the same frame. */
  addGap(gapMs: number): void;
  /** A frame was released. */
  forget(): void;
  /** A slice came so long after its frame was released for being quiet. */
  addMiss(missedByMs: number): void;
  readonly ms: number;
}

/** Congestion control may hold datagrams for a round trip: nothing is known of that at first. */
const maxQuietMs = 60;
/** Timers and processors on the way. */
const minQuietMs = 12;
const gapFactor = 2;
const slackMs = 4;
/** A gap is forgotten over so many frames. */
const memoryFrames = 16;

export function createQuietTime(): QuietTime {
  let gapMs = maxQuietMs / gapFactor;
  const quietMs = () => Math.min(maxQuietMs, Math.max(minQuietMs, gapFactor * gapMs + slackMs));
  return {
    addGap(sampleMs) {
      gapMs = Math.max(gapMs, Math.min(maxQuietMs, sampleMs));
    },
    forget() {
      gapMs -= gapMs / memoryFrames;
    },
    addMiss(missedByMs) {
      gapMs = Math.min(maxQuietMs, quietMs() + missedByMs) / gapFactor;
    },
    get ms() {
      return quietMs();
    },
  };
}
