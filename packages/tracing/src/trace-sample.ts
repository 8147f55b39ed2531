/** Which frames are traced. Both ends decide by the trace's name, so that they keep the same ones. */

export interface TraceSample {
  /** Every late frame. */
  readonly late: boolean;
  /** Share of all frames, 0 to 1. */
  readonly share: number;
}

export const defaultTraceSample = "late,0.01";

const digits = 8;

/**
 * Reads `late`, `all`, a share such as `0.01`, or `late` and a share with a comma between them.
 * @throws RangeError
 */
export function parseTraceSample(text: string): TraceSample {
  const words = text.split(",").map((word) => word.trim());
  const shares = words.filter((word) => word !== "late");
  const share = shares[0] === "all" ? 1 : Number(shares[0] ?? 0);
  const isShare =
    shares[0] === undefined || shares[0] === "all" || /^(0|1|0?\.\d{1,9}|1\.0+)$/.test(shares[0]);
  if (words.length - shares.length > 1 || shares.length > 1 || !isShare) {
    throw new RangeError(`expected late, all, a share from 0 to 1, or late,SHARE, got "${text}"`);
  }
  return { late: shares.length < words.length, share };
}

export function isSampled(sample: TraceSample, traceId: string, isLate: boolean): boolean {
  if (sample.late && isLate) return true;
  return Number.parseInt(traceId.slice(0, digits), 16) < sample.share * 16 ** digits;
}
