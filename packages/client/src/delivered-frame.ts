import { type ClientEvent, stageTimesOf } from "@sluice/protocol";
import type { DeliveredFrame } from "./frame-outcome.js";

/** What a result says, with where the time went. */
export function describeDelivery(
  event: Extract<ClientEvent, { type: "delivered" }>,
  answer: unknown,
  here: { readonly produceMs: number; readonly encodeMs: number },
): DeliveredFrame {
  const { frame, result, latencyMs, onTime } = event;
  const server = stageTimesOf(result);
  const known = Object.values(server).reduce((sum, ms) => sum + ms, here.produceMs + here.encodeMs);
  return {
    ...{ status: "delivered", frame: frame.frame, onTime, latencyMs, answer },
    ...{ bytes: frame.payloadBytes, sendQueueMs: frame.sendQueueMs },
    concealedFraction: result.elements > 0 ? result.concealedElements / result.elements : 0,
    ...{ slicesReceived: result.slicesReceived, slicesRecovered: result.slicesRecovered },
    timings: {
      ...{ produce: here.produceMs, encode: here.encodeMs, ...server },
      network: Math.max(0, latencyMs - known),
    },
  };
}
