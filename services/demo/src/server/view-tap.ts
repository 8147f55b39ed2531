import { randomBytes } from "node:crypto";
import type { OpenServedStream, ServedStream } from "@sluice/server";
import type { Tensor } from "@sluice/tensor";

/** Shows pages what arrived of their tensors: some are kept for a moment under a name that only the answer tells. */
export interface ViewTap {
  /** Serves as `open` does; answers have a member `view` where the tensor can be looked at. */
  tap(open: OpenServedStream): OpenServedStream;
  /** A tensor as `encodeView` writes it; `undefined` where it is not kept, or not any more. */
  read(name: string): Uint8Array<ArrayBuffer> | undefined;
}

export interface ViewTapOptions {
  /** Of all streams together; the oldest goes first. Default 64. */
  readonly maxViews?: number;
  /** Larger tensors are not shown. Default 2^18. */
  readonly maxElements?: number;
  /** Of one stream, in milliseconds: between tensors with gaps, and between any. Default 150 and 500. */
  readonly minIntervalMs?: number;
  readonly wholeIntervalMs?: number;
  readonly now?: () => number;
}

export function createViewTap(options: ViewTapOptions = {}): ViewTap {
  const { maxViews = 64, maxElements = 1 << 18, minIntervalMs = 150, wholeIntervalMs = 500 } = options;
  const now = options.now ?? (() => performance.now());
  const views = new Map<string, Uint8Array<ArrayBuffer>>();

  function keep(tensor: Tensor, missing: Uint8Array): string {
    // Whoever can guess a name can see what others send.
    const name = randomBytes(12).toString("hex");
    views.set(name, encodeView(tensor, missing));
    if (views.size > maxViews) views.delete(views.keys().next().value!);
    return name;
  }

  function tapStream(served: ServedStream): ServedStream {
    let shownMs = Number.NEGATIVE_INFINITY;
    return {
      ...served,
      answer(output, frame) {
        const { tensor, context } = frame;
        const answer = served.answer(output, frame);
        const intervalMs = context.missingCount > 0 ? minIntervalMs : wholeIntervalMs;
        const isDue = now() - shownMs >= intervalMs && tensor.data.length <= maxElements;
        // What is no plain object has no room for it.
        if (!isDue || typeof answer !== "object" || answer === null || Array.isArray(answer)) return answer;
        shownMs = now();
        return { ...answer, view: keep(tensor, context.missing) };
      },
    };
  }

  return {
    tap: (open) => async (request) => tapStream(await open(request)),
    read: (name) => views.get(name),
  };
}

/** Bytes before the elements: how many there are (u32), their smallest and largest value (f32), little-endian. */
export const viewHeaderBytes = 12;

/** A tensor in a byte an element, from its smallest value to its largest, and a bit an element for those that were concealed. */
export function encodeView(tensor: Tensor, missing: Uint8Array): Uint8Array<ArrayBuffer> {
  const { data } = tensor;
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  for (const value of data) {
    if (value < min) min = value;
    if (value > max) max = value;
  }
  const view = new Uint8Array(viewHeaderBytes + data.length + Math.ceil(data.length / 8));
  const header = new DataView(view.buffer);
  header.setUint32(0, data.length, true);
  header.setFloat32(4, min, true);
  header.setFloat32(8, max, true);
  const scale = max > min ? 255 / (max - min) : 0;
  const mask = viewHeaderBytes + data.length;
  for (let i = 0; i < data.length; i++) {
    view[viewHeaderBytes + i] = Math.round((data[i]! - min) * scale);
    if (missing[i] !== 0) view[mask + (i >> 3)]! |= 1 << (i & 7);
  }
  return view;
}
