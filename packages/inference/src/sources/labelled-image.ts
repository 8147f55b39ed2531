import type { Tensor } from "@sluice/tensor";

/** An input for a model, with what is known about it. */
export interface LabelledImage {
  /** Names the image within its source: a path below the folder, an index. */
  readonly name: string;
  /** The model's input. */
  readonly image: Tensor;
  /** What it was made from: [height, width, channels], red first; undefined for synthetic tensors. */
  readonly pixels: Tensor<"uint8"> | undefined;
  /** The index of the true class; undefined where it is not known. */
  readonly label: number | undefined;
}

/** Images to feed a model with; each iteration starts at the first. */
export interface ImageSource extends AsyncIterable<LabelledImage> {
  /** How many there are; Infinity for a source without an end, undefined where only reading it tells. */
  readonly count: number | undefined;
}

/** A source of which it is known how many images it has. */
export interface CountedImageSource extends ImageSource {
  readonly count: number;
}
