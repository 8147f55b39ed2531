import type { sluice } from "@sluice/proto";
import type { SessionLimits } from "./limits.js";

/** Limits as they stand in a message (spec 4.4). */
export function limitsToWire(limits: SessionLimits): sluice.v1.Limits.$Properties {
  const { framesPerSecond, ...others } = limits;
  return { ...others, millihertz: Math.round(framesPerSecond * 1_000) };
}

/** Limits out of a message. */
export function limitsFromWire(wire: sluice.v1.Limits.$Properties | null | undefined): SessionLimits {
  return {
    maxStreams: wire?.maxStreams ?? 0,
    maxTensorElements: wire?.maxTensorElements ?? 0,
    maxTensorBytes: wire?.maxTensorBytes ?? 0,
    maxFramesInFlight: wire?.maxFramesInFlight ?? 0,
    framesPerSecond: (wire?.millihertz ?? 0) / 1_000,
    maxBytesPerSecond: wire?.maxBytesPerSecond ?? 0,
    maxResultBytes: wire?.maxResultBytes ?? 0,
  };
}
