import { createHash } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Cut, type Model, openTestImages, readStatistics } from "@sluice/inference";
import { encodeStatistics } from "@sluice/tensor";
import type { ClipImages, ModelSummary } from "../model-summary.js";

/** A model as the server serves it. */
export interface ShownModel {
  /** What clients ask for: its name, with its version where it has one. */
  readonly reference: string;
  readonly model: Model;
}

/** What pages ask about a model that is served. */
export interface ModelDescription {
  readonly summary: ModelSummary;
  /** The client's part as ONNX; empty: the whole network. @throws ModelError */
  part(cut: string): Promise<Uint8Array>;
  /** `{ value, hash }` as JSON; `undefined` where there are none. */
  statistics(cut: string): Promise<string | undefined>;
  /** Labelled images for the clip; `undefined` where the model takes others. */
  clip(): Promise<ClipImages | undefined>;
}

/** Different images of the clip; it begins again after them. */
const clipImages = 120;
/** Of the order of the images. */
const clipSeed = 7;

/** @throws ModelError, EngineError where the model cannot be looked into */
export async function describeModel({ reference, model }: ShownModel): Promise<ModelDescription> {
  const cuts = await model.network.listCuts();
  const parts = new Map<string, Promise<Uint8Array>>();
  const describeCut = ({ name, shape, bytes, workShare }: Cut) => ({ name, shape, bytes, workShare });
  let clip: Promise<ClipImages | undefined> | undefined;
  return {
    summary: {
      ...{ name: reference, labels: model.labels, defaultCut: model.defaultCut ?? cuts[0]?.name ?? "" },
      ...{ input: model.input, preprocess: model.preprocess, cuts: cuts.map(describeCut) },
    },
    part(cut) {
      let part = parts.get(cut);
      if (!part) {
        part = savePart(model, cut);
        parts.set(cut, part);
        part.catch(() => parts.delete(cut));
      }
      return part;
    },
    async statistics(cut) {
      const value = cut === "" ? undefined : await readStatistics(model, cut);
      if (!value) return undefined;
      const encoded = encodeStatistics(value);
      // spec 6.4: over the canonical stored form.
      const hash = createHash("sha256").update(JSON.stringify(encoded)).digest("hex");
      return JSON.stringify({ value: encoded, hash });
    },
    clip() {
      clip ??= readClip(model);
      return clip;
    },
  };
}

async function savePart(model: Model, cut: string): Promise<Uint8Array> {
  const network = cut === "" ? model.network : (await model.network.split(cut)).head;
  const directory = await mkdtemp(join(tmpdir(), "sluice-part-"));
  try {
    const [path] = await network.save(directory, "part");
    return await readFile(path!);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function readClip(model: Model): Promise<ClipImages | undefined> {
  const images: { pixels: string; label: number }[] = [];
  let size = { width: 0, height: 0 };
  try {
    for await (const { pixels, label } of await openTestImages(model.input, model.preprocess, {
      seed: clipSeed,
    })) {
      if (!pixels || label === undefined) return undefined;
      size = { height: pixels.shape[0]!, width: pixels.shape[1]! };
      images.push({ pixels: Buffer.from(pixels.data).toString("base64"), label });
      if (images.length === clipImages) break;
    }
  } catch {
    // They are images for another model: there is no clip then.
    return undefined;
  }
  return { ...size, images };
}
