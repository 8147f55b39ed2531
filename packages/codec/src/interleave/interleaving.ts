/** The text forms of interleaving (spec 5.8): `channel-strided`, `checkerboard`, `pseudo-random:seed=1`. */
import { TensorError } from "@sluice/tensor";
import { describeUnknown } from "../did-you-mean.js";

/** What slices hold, by name. */
export const interleavings = ["contiguous", "channel-strided", "checkerboard", "pseudo-random"] as const;

/**
 * In which order the units of a tensor are dealt to slices, so that what is lost together lies apart.
 * - `contiguous`: as the codec has them
 * - `channel-strided`: a slice of one in n holds about every n-th channel
 * - `checkerboard`: a slice of one in n holds about every n-th place in the plane
 * - `pseudo-random`: chance decides, the same at both ends by the seed
 */
export type Interleaving =
  | { readonly kind: Exclude<(typeof interleavings)[number], "pseudo-random"> }
  | { readonly kind: "pseudo-random"; readonly seed: number };

/** The field of the errors about a text that cannot be read or does not suit a codec. */
export const interleaveField = "interleave";

/** The longest text, in characters. */
const maxTextLength = 64;
const defaultSeed = 1;

/**
 * Reads a text form; the empty one is `contiguous`.
 * @throws TensorError of the field `interleave` that names what cannot be read
 */
export function parseInterleaving(text: string): Interleaving {
  if (text === "") return { kind: "contiguous" };
  if (text.length > maxTextLength) {
    throw new TensorError(interleaveField, `${text.length} characters, at most ${maxTextLength} are allowed`);
  }
  const colon = text.indexOf(":");
  const name = (colon < 0 ? text : text.slice(0, colon)).trim();
  const kind = interleavings.find((known) => known === name);
  if (!kind) throw new TensorError(interleaveField, describeUnknown("order", name, interleavings));
  if (kind === "pseudo-random")
    return { kind, seed: colon < 0 ? defaultSeed : readSeed(text.slice(colon + 1)) };
  if (colon >= 0) throw new TensorError(`${interleaveField}.${kind}`, "has no parameters");
  return { kind };
}

function readSeed(text: string): number {
  const [key = "", value = "", ...more] = text.split("=").map((part) => part.trim());
  if (key !== "seed" || more.length > 0 || !/^\d{1,9}$/.test(value)) {
    throw new TensorError(
      `${interleaveField}.pseudo-random`,
      `must be seed=N with N from 0 to 999999999, got ${JSON.stringify(text.trim())}`,
    );
  }
  return Number(value);
}

/** The canonical text, which names every parameter; empty for `contiguous`. */
export function formatInterleaving(interleaving: Interleaving): string {
  if (interleaving.kind === "contiguous") return "";
  return interleaving.kind === "pseudo-random"
    ? `pseudo-random:seed=${interleaving.seed}`
    : interleaving.kind;
}
