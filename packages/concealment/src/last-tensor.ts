import type { Tensor } from "@sluice/tensor";

/** Keeps the newest good tensor of a stream, as a reference for concealing later ones. Holds one copy, no more. */
export interface LastTensor {
  readonly tensor: Tensor | undefined;
  /** Its frame; -1 where there is none. */
  readonly frame: number;
  /** Takes a copy, unless a newer one is there or more than a quarter of it is missing. */
  offer(frame: number, tensor: Tensor, missingCount: number): void;
}

/** What is mostly made up would teach the next one its own faults. */
const maxMissingShare = 0.25;

export function createLastTensor(): LastTensor {
  let newest = -1;
  let kept: Tensor | undefined;
  return {
    get tensor() {
      return kept;
    },
    get frame() {
      return newest;
    },
    offer(frame, tensor, missingCount) {
      if (frame <= newest || missingCount > maxMissingShare * tensor.data.length) return;
      newest = frame;
      if (kept?.data.length === tensor.data.length && kept.dtype === tensor.dtype) kept.data.set(tensor.data);
      else kept = { ...tensor, data: tensor.data.slice() };
    },
  };
}
