import { packTensors } from "@sluice/tensor";
import type { Model, ModelInput } from "../model.js";
import { ModelError } from "../model-error.js";
import { quoteAll } from "../quote-all.js";
import { isImage } from "../tensor-info.js";
import { arrayFiles, arrayNames } from "./array-files.js";
import type { ImageSource, LabelledImage } from "./labelled-image.js";
import { type OpenSourceOptions, openSource } from "./open-source.js";
import { repeatFirst } from "./repeat-first.js";

/** What {@link openSources} takes beside what `openSource` does, in words for a help text. */
export const namedSourceForms =
  "of a model with several inputs INPUT=WHAT for each, where WHAT may be a number, too; those without one get random numbers";

/**
 * Opens what feeds a model: a source for its one input, or for each of several. What does not name its input is a `.npz` for all
 * that it has arrays of, `stdin` or `synthetic` for all, else for the first input that is an image. Inputs for which there is
 * nothing get random numbers. One tensor stands for every frame; among longer sources the shortest ends all.
 * @param references each `WHAT` or `INPUT=WHAT`
 * @throws ModelError naming the source or the input
 */
export async function openSources(
  references: readonly string[],
  model: Pick<Model, "input" | "inputs" | "preprocess" | "labels">,
  options: OpenSourceOptions = {},
): Promise<ImageSource> {
  const { inputs, labels } = model;
  const given = new Map<ModelInput, string>();
  const assign = (input: ModelInput, what: string): void => {
    if (given.has(input))
      throw new ModelError("unknown-name", `source "${what}": input "${input.name}" has one already`);
    given.set(input, what);
  };
  const unnamed: string[] = [];
  for (const reference of references) {
    const input = inputs.find(({ name }) => reference.startsWith(`${name}=`));
    if (input) assign(input, reference.slice(input.name.length + 1));
    else unnamed.push(reference);
  }
  for (const reference of unnamed) {
    if (inputs.length === 1) assign(inputs[0]!, reference);
    // The bundle itself, as it is.
    else if (reference === "stdin" && references.length === 1) return openSource("stdin", model, options);
    else for (const input of await inputsFor(reference, inputs)) assign(input, reference);
  }
  // An image that is left out would have the others' tensors stand beside the wrong one.
  const { onUnreadable: _, ...whole } = options;
  const openings = inputs.map((input, place) =>
    openInput(input, place, given.get(input) ?? "synthetic", labels, inputs.length === 1 ? options : whole),
  );
  return openings.length === 1 ? openings[0]! : together(await Promise.all(openings));
}

/** The inputs that a source without a name is for. */
async function inputsFor(reference: string, inputs: readonly ModelInput[]): Promise<readonly ModelInput[]> {
  if (reference === "synthetic") return [];
  const [archive] = await arrayFiles(reference, ".npz");
  if (archive !== undefined) {
    const names = await arrayNames(archive);
    const found = inputs.filter(({ name }) => names.includes(name));
    if (found.length > 0) return found;
    throw new ModelError(
      "unknown-name",
      `source "${archive}": has arrays ${quoteAll(names) || "of no name"}, the model's inputs are ${quoteInputs(inputs)}`,
    );
  }
  const image = inputs.find(isImage);
  if (image) return [image];
  throw new ModelError(
    "unknown-name",
    `source "${reference}": no input is an image; say which of ${quoteInputs(inputs)} it is for, as in ${inputs[0]!.name}=${reference}`,
  );
}

function quoteInputs(inputs: readonly ModelInput[]): string {
  return quoteAll(inputs.map(({ name }) => name));
}

async function openInput(
  input: ModelInput,
  place: number,
  what: string,
  labels: readonly string[],
  options: OpenSourceOptions,
): Promise<ImageSource> {
  const model = { input, preprocess: input.preprocess, labels };
  if (!isSynthetic(what)) return openSource(what, model, options);
  // Inputs of one shape are not to be alike; files of several are shuffled alike, for they belong together.
  return repeatFirst(await openSource(what, model, { ...options, seed: (options.seed ?? 1) + place }));
}

function isSynthetic(what: string): boolean {
  return /^synthetic(:|$)/.test(what);
}

/** Frames of a tensor of each source. */
function together(sources: readonly ImageSource[]): ImageSource {
  const counts = sources.map(({ count }) => count).filter((count) => count !== 1);
  const count = counts.includes(undefined) ? undefined : Math.min(...(counts as number[]));
  return {
    // Of nothing but single tensors a frame may be made again and again.
    count: counts.length === 0 ? 1 : count,
    async *[Symbol.asyncIterator]() {
      const fixed = await Promise.all(
        sources.map((source) => (source.count === 1 ? firstOf(source) : undefined)),
      );
      const readers = sources.map((source, i) => (fixed[i] ? undefined : source[Symbol.asyncIterator]()));
      try {
        do {
          const parts: LabelledImage[] = [];
          for (const [i, reader] of readers.entries()) {
            const next = reader ? await reader.next() : { done: false as const, value: fixed[i]! };
            if (next.done) return;
            parts.push(next.value);
          }
          yield joined(parts);
        } while (readers.some((reader) => reader !== undefined));
      } finally {
        await Promise.all(readers.map((reader) => reader?.return?.()));
      }
    },
  };
}

async function firstOf(source: ImageSource): Promise<LabelledImage> {
  for await (const image of source) return image;
  throw new ModelError("unreadable", "source: is empty");
}

function joined(parts: readonly LabelledImage[]): LabelledImage {
  const picture = parts.find(({ pixels }) => pixels !== undefined) ?? parts[0]!;
  const { name, pixels } = picture;
  const label = parts.map((part) => part.label).find((found) => found !== undefined);
  return { name, image: packTensors(parts.map(({ image }) => image)), pixels, label };
}
