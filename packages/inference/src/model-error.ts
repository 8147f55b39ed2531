/** What is wrong with a model, a reference to one, or a cut through one. */
export type ModelErrorKind =
  | "not-found"
  | "unreadable"
  | "too-large"
  | "not-onnx"
  | "not-tfjs"
  | "invalid-graph"
  | "unknown-name"
  | "illegal-cut"
  | "missing-type"
  | "unsupported";

/** Thrown for everything that is wrong with a model; `kind` is for programs, the message for people. */
export class ModelError extends Error {
  override readonly name = "ModelError";
  constructor(
    readonly kind: ModelErrorKind,
    message: string,
    options?: { readonly cause?: unknown },
  ) {
    super(message, options);
  }
}
