/** Which frames are captured: `all`, `bad:concealed=20` (percent; the default), or `every:n=100`. */

export type FrameSample =
  | { readonly kind: "all" }
  /** Undecodable, failed or late, or with more than so much of its elements concealed. */
  | { readonly kind: "bad"; readonly maxConcealedShare: number }
  | { readonly kind: "every"; readonly n: number };

export const defaultFrameSample = "bad:concealed=20";

/** @throws RangeError naming what cannot be read */
export function parseFrameSample(text: string): FrameSample {
  const match = /^(?:(all)|(bad)(?::concealed=(\d{1,3}))?|(every):n=(\d{1,9}))$/.exec(text);
  if (match === null) {
    throw new RangeError(
      `frames: must be all, bad:concealed=PERCENT or every:n=N, got ${JSON.stringify(text)}`,
    );
  }
  const [, all, bad, percent = "20", , n = ""] = match;
  if (all !== undefined) return { kind: "all" };
  if (bad === undefined) {
    if (Number(n) < 1) throw new RangeError("frames.every.n: must be at least 1");
    return { kind: "every", n: Number(n) };
  }
  if (Number(percent) > 100) throw new RangeError("frames.bad.concealed: must be 0 to 100 percent");
  return { kind: "bad", maxConcealedShare: Number(percent) / 100 };
}

export interface SampledFrame {
  /** The how manieth of its stream it is, from 0 on. */
  readonly place: number;
  /** It was late, failed, or nothing of it could be decoded. */
  readonly isLost: boolean;
  readonly concealedShare: number;
}

export function isSampled(sample: FrameSample, { place, isLost, concealedShare }: SampledFrame): boolean {
  switch (sample.kind) {
    case "all":
      return true;
    case "bad":
      return isLost || concealedShare > sample.maxConcealedShare;
    case "every":
      return place % sample.n === 0;
  }
}
