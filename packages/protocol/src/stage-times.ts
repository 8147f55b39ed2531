/** Where the server says that the time of a frame went; on the wire in hundredths of a millisecond (spec 7.3). */
import type { sluice } from "@sluice/proto";

/** In milliseconds. */
export interface StageTimes {
  readonly reassembly: number;
  readonly decode: number;
  readonly conceal: number;
  readonly queue: number;
  readonly inference: number;
}

const hundredths = (ms: number) => Math.max(0, Math.round(ms * 100));

export function stageTimesToWire(
  times: Omit<StageTimes, "reassembly">,
  reassemblyMs: number,
): sluice.v1.StageTimes.$Properties {
  return {
    reassembly: hundredths(reassemblyMs),
    decode: hundredths(times.decode),
    conceal: hundredths(times.conceal),
    queue: hundredths(times.queue),
    inference: hundredths(times.inference),
  };
}

/** Times that a result leaves out are 0. */
export function stageTimesOf({ stages }: sluice.v1.Result): StageTimes {
  return {
    reassembly: (stages?.reassembly ?? 0) / 100,
    decode: (stages?.decode ?? 0) / 100,
    conceal: (stages?.conceal ?? 0) / 100,
    queue: (stages?.queue ?? 0) / 100,
    inference: (stages?.inference ?? 0) / 100,
  };
}
