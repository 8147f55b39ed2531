import { createSyntheticSource, type Network } from "@sluice/inference";
import type { Tensor } from "@sluice/tensor";

export function largestDifference(a: Tensor, b: Tensor): number {
  let largest = 0;
  for (let i = 0; i < a.data.length; i++) largest = Math.max(largest, Math.abs(a.data[i]! - b.data[i]!));
  return largest;
}

/** What the halves of a network make of a seeded input, against what the whole makes of it. */
export interface CutDifference {
  readonly cut: string;
  /** Largest of the outputs' differences. */
  readonly difference: number;
}

/** Runs both halves of every legal cut (or of every n-th). */
export async function differencesAtCuts(
  network: Network,
  graphOptimization: "disabled" | "all",
  step = 1,
): Promise<CutDifference[]> {
  const options = { graphOptimization, threads: 2 };
  const whole = await network.load(options);
  const shape = whole.inputs[0]!.shape.map((size) => size ?? 1);
  const images: Tensor[] = [];
  for await (const { image } of createSyntheticSource(shape, { seed: 9, count: 1 })) images.push(image);
  const [expected] = await whole.run(images);
  await whole.close();
  const differences: CutDifference[] = [];
  const cuts = await network.listCuts();
  for (const { name } of cuts.filter((_, i) => i % step === 0)) {
    const split = await network.split(name);
    const [head, tail] = await Promise.all([split.head.load(options), split.tail.load(options)]);
    const [actual] = await tail.run(await head.run(images));
    differences.push({ cut: name, difference: largestDifference(actual!, expected!) });
    await Promise.all([head.close(), tail.close()]);
  }
  return differences;
}
