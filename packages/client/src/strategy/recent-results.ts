/** What share of the frames of the present choice lately came in time: what is seen to be is so, whatever is predicted. */
export interface RecentResults {
  /** A frame offered while the choice was in use has ended. */
  add(onTime: boolean, nowMs: number): void;
  /** Another choice was made. */
  reset(): void;
  /** 0 to 1; 0 while there are too few. */
  share(nowMs: number): number;
}

/** How long a frame that has ended says something. */
const windowMs = 600;
const fewest = 4;

export function createRecentResults(): RecentResults {
  let ended: { readonly onTime: boolean; readonly atMs: number }[] = [];
  return {
    add(onTime, nowMs) {
      ended.push({ onTime, atMs: nowMs });
    },
    reset() {
      ended = [];
    },
    share(nowMs) {
      ended = ended.filter(({ atMs }) => atMs > nowMs - windowMs);
      return ended.length < fewest ? 0 : ended.filter(({ onTime }) => onTime).length / ended.length;
    },
  };
}
