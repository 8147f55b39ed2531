/** A line of text that a network has read. */
export interface TextLine {
  readonly text: string;
  /** Mean probability of its characters, 0 to 1; 0 for an empty line. */
  readonly score: number;
}

/** Index of CTC's blank, which stands between characters and for none. */
const blank = 0;

/**
 * Decodes the output of a text-line network greedily: the best class of each step, repeats taken as one, blanks left out
 * (connectionist temporal classification, Graves et al., 2006).
 * @param output [steps, 1 + characters], probabilities of the blank and of each character
 * @throws RangeError where it has another number of classes
 */
export function decodeCtc(
  { shape, data }: { readonly shape: readonly number[]; readonly data: ArrayLike<number> },
  alphabet: readonly string[],
): TextLine {
  const [steps = 0, classes = 0] = shape;
  if (shape.length !== 2 || classes !== alphabet.length + 1) {
    throw new RangeError(
      `output: has shape [${shape.join(", ")}], [steps, ${alphabet.length + 1}] is what this alphabet needs`,
    );
  }
  let text = "";
  let sum = 0;
  let characters = 0;
  let before = blank;
  for (let step = 0; step < steps; step++) {
    const start = step * classes;
    let best = 0;
    for (let i = 1; i < classes; i++) if (data[start + i]! > data[start + best]!) best = i;
    if (best !== blank && best !== before) {
      text += alphabet[best - 1];
      sum += data[start + best]!;
      characters++;
    }
    before = best;
  }
  // What is beside the line looks like a space to the network.
  return { text: text.trim(), score: characters === 0 ? 0 : sum / characters };
}
