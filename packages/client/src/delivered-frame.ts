import { type ClientEvent, stageTimesOf } from "@sluice/protocol";
import type { DeliveredFrame } from "./frame-outcome.js";

/** What a result says, with where the time went. */
export function describeDelivery(
  event: Extract<ClientEvent, { type: "delivered" }>,
  answer: unknown,
  here: { readonly produceMs: number; readonly encodeMs: number },
): DeliveredFrame {
  const { frame, result, latencyMs, onTime } = event;
  const { reassembly, decode, conceal, queue, inference } = stageTimesOf(result);
  const known = here.produceMs + here.encodeMs + reassembly + decode + conceal + queue + inference;
  return {
    status: "delivered",
    frame: frame.frame,
    onTime,
    latencyMs,
    bytes: frame.payloadBytes,
    answer,
    concealedFraction: result.elements > 0 ? result.concealedElements / result.elements : 0,
    slicesReceived: result.slicesReceived,
    slicesRecovered: result.slicesRecovered,
    timings: {
      produce: here.produceMs,
      encode: here.encodeMs,
      reassembly,
      decode,
      conceal,
      queue,
      inference,
      network: Math.max(0, latencyMs - known),
    },
    sendQueueMs: frame.sendQueueMs,
  };
}
