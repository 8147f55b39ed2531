import type { DeliveredFrame } from "../frame-outcome.js";

/** The outcome of a frame that the whole network ran on here: the same form, with nothing of a path in it. */
export function describeLocal(
  frame: number,
  answer: unknown,
  latencyMs: number,
  onTime: boolean,
  produceMs: number,
): DeliveredFrame {
  return {
    ...{ status: "delivered", frame, onTime, latencyMs, answer, bytes: 0 },
    ...{ concealedFraction: 0, slicesReceived: 0, slicesRecovered: 0, sendQueueMs: 0 },
    timings: {
      ...{ produce: produceMs, encode: 0, reassembly: 0, decode: 0 },
      ...{ conceal: 0, queue: 0, inference: 0, network: 0 },
    },
  };
}
