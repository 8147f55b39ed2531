/** What a one-way link does to packets. Every field is optional; an empty object is a perfect link. */
export interface LinkParameters {
  /** Bits per second that the bottleneck sends; above 0, `undefined` for no limit. */
  readonly rateBitsPerSecond?: number | undefined;
  /** Propagation delay in milliseconds, at least 0. Default 0. */
  readonly delayMs?: number | undefined;
  /**
   * The delay wanders between `delayMs` and `delayMs + jitterMs`, in milliseconds, slowly enough to keep the order of
   * packets (as a queue elsewhere on the path does). Default 0.
   */
  readonly jitterMs?: number | undefined;
  /** The longest that a packet may wait for the bottleneck, in milliseconds; one that would wait longer is dropped. */
  readonly queueMs?: number | undefined;
  /** The most bytes that may wait for the bottleneck. Both bounds apply; with neither, `queueMs` is 100. */
  readonly queueBytes?: number | undefined;
  /** Share of packets lost on the wire after the bottleneck, 0 to 1. Default 0. */
  readonly loss?: number | undefined;
  /**
   * Mean number of packets lost in a row. 1 (the default) loses each packet independently; more is the simple
   * Gilbert model: a bad state that loses everything and a good one that loses nothing.
   */
  readonly burst?: number | undefined;
  /** Larger packets are dropped; `undefined` for no limit. */
  readonly mtuBytes?: number | undefined;
  /** Share of packets held back by up to `reorderMs`, so that later ones overtake them, 0 to 1. Default 0. */
  readonly reorder?: number | undefined;
  /** The most by which a packet is held back, in milliseconds. Default 10. */
  readonly reorderMs?: number | undefined;
  /** Share of packets that arrive twice, 0 to 1. Default 0. */
  readonly duplicate?: number | undefined;
  /** Share of packets that arrive with bits changed, 0 to 1. Default 0. */
  readonly corrupt?: number | undefined;
}

/** {@link LinkParameters} with every default filled in and every range checked. */
export interface CheckedLinkParameters {
  readonly rateBitsPerSecond: number;
  readonly delayMs: number;
  readonly jitterMs: number;
  readonly queueMs: number;
  readonly queueBytes: number;
  readonly loss: number;
  readonly burst: number;
  readonly mtuBytes: number;
  readonly reorder: number;
  readonly reorderMs: number;
  readonly duplicate: number;
  readonly corrupt: number;
}

/** A rate-limited link without a bound of its own would be an endless queue: 100 ms is a common access router's. */
const DEFAULT_QUEUE_MS = 100;
const DEFAULT_REORDER_MS = 10;
/** A day: longer delays are slips of a unit. */
const MAX_DURATION_MS = 86_400_000;

/**
 * Fills in defaults; "no limit" becomes Infinity.
 * @throws RangeError that names the field when a value is out of its range.
 */
export function checkLinkParameters(parameters: LinkParameters): CheckedLinkParameters {
  const { rateBitsPerSecond, queueMs, queueBytes, mtuBytes, burst = 1 } = parameters;
  const within = (name: keyof LinkParameters, value: number, max: number): number => {
    if (!(value >= 0 && value <= max)) throw new RangeError(`${name} must be from 0 to ${max}, got ${value}`);
    return value;
  };
  const limit = (name: keyof LinkParameters, value: number | undefined): number => {
    if (value === undefined) return Number.POSITIVE_INFINITY;
    if (!(value > 0)) throw new RangeError(`${name} must be above 0, got ${value}`);
    return value;
  };
  const loss = within("loss", parameters.loss ?? 0, 1);
  if (!(burst >= 1 && burst < Number.POSITIVE_INFINITY)) {
    throw new RangeError(`burst must be at least 1 packet, got ${burst}`);
  }
  // Runs of `burst` losses and at least one packet between them cannot lose more than burst / (burst + 1).
  if (burst > 1 && loss < 1 && loss > burst / (burst + 1)) {
    throw new RangeError(
      `burst must be at least ${(loss / (1 - loss)).toFixed(2)} at a loss of ${loss}, got ${burst}`,
    );
  }
  const unbounded = queueMs === undefined && queueBytes === undefined;
  return {
    rateBitsPerSecond: limit("rateBitsPerSecond", rateBitsPerSecond),
    delayMs: within("delayMs", parameters.delayMs ?? 0, MAX_DURATION_MS),
    jitterMs: within("jitterMs", parameters.jitterMs ?? 0, MAX_DURATION_MS),
    queueMs: unbounded
      ? DEFAULT_QUEUE_MS
      : queueMs === undefined
        ? Number.POSITIVE_INFINITY
        : within("queueMs", queueMs, MAX_DURATION_MS),
    queueBytes:
      queueBytes === undefined
        ? Number.POSITIVE_INFINITY
        : within("queueBytes", queueBytes, Number.MAX_SAFE_INTEGER),
    loss,
    burst,
    mtuBytes: limit("mtuBytes", mtuBytes),
    reorder: within("reorder", parameters.reorder ?? 0, 1),
    reorderMs: within("reorderMs", parameters.reorderMs ?? DEFAULT_REORDER_MS, MAX_DURATION_MS),
    duplicate: within("duplicate", parameters.duplicate ?? 0, 1),
    corrupt: within("corrupt", parameters.corrupt ?? 0, 1),
  };
}
