import type { Network } from "./network.js";
import type { Preprocess } from "./preprocess.js";
import type { TensorInfo } from "./tensor-info.js";

/** One of a model's inputs, and how pixels become it where it is an image. */
export interface ModelInput extends TensorInfo {
  readonly preprocess: Preprocess;
}

/** A model that was read, and what is known about its use. */
export interface Model {
  readonly name: string;
  /** What can be described, cut and loaded. */
  readonly network: Network;
  /** SHA-256 of its files; absent where they are not at hand. */
  readonly hash?: Uint8Array | undefined;
  /** What `network` takes: of several inputs the bundle of all; the first one, where it was loaded with `severalInputs`. */
  readonly input: TensorInfo;
  /** Each of its inputs, in the order in which they lie in a bundle. */
  readonly inputs: readonly ModelInput[];
  /** Names of the classes, in the order of the output; empty where they are not known. */
  readonly labels: readonly string[];
  /** The characters of a reader of text lines, whose output is decoded by CTC; absent: the output is of classes. */
  readonly alphabet?: readonly string[];
  /** Where to cut unless told otherwise; undefined: nothing is recommended. */
  readonly defaultCut: string | undefined;
  /** How pixels become the model's input; of several the first that is an image. */
  readonly preprocess: Preprocess;
  /** The folder that the model lies in. */
  readonly directory: string;
}
