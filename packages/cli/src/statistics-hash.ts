import { createHash } from "node:crypto";
import { type Model, readStatistics } from "@sluice/inference";
import { type CutStatistics, encodeStatistics } from "@sluice/tensor";

/** The statistics of a cut with the hash by which both ends know that they mean the same (spec 6.4). */
export interface HashedStatistics {
  readonly value: CutStatistics;
  readonly hash: Uint8Array;
}

/** SHA-256 of the canonical stored form: float32, keys in the order that the encoder writes. */
export function hashStatistics(statistics: CutStatistics): Uint8Array {
  return createHash("sha256")
    .update(JSON.stringify(encodeStatistics(statistics)))
    .digest();
}

/** Reads what lies beside the model; `undefined` where nothing does. */
export async function readHashedStatistics(model: Model, cut: string): Promise<HashedStatistics | undefined> {
  const value = await readStatistics(model, cut);
  return value && { value, hash: hashStatistics(value) };
}
