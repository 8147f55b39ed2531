import type { Cut } from "./cut.js";

/** Before so small a share of the work a cut is as good as sending the input, behind so large a one as running it all. */
const minWorkShare = 0.005;
const maxWorkShare = 0.97;
/** A later cut must carry so much less than every earlier one to be worth its work. */
const smallerBy = 0.8;

/**
 * The cuts worth choosing among when nothing is known of the path: each carries less than the input and than every cut
 * before it, since a later cut that carries as much costs the client more and saves nothing. Where there are more than
 * `most`, those that save most against the one before. In the order of the network.
 * @param inputElements of one sample
 */
export function chooseCuts(cuts: readonly Cut[], inputElements: number, most: number): Cut[] {
  let least = inputElements;
  const useful: { readonly cut: Cut; readonly ratio: number }[] = [];
  for (const cut of cuts) {
    if (cut.workShare < minWorkShare || cut.workShare > maxWorkShare) continue;
    if (cut.elements > smallerBy * least) continue;
    useful.push({ cut, ratio: cut.elements / least });
    least = cut.elements;
  }
  const kept = new Set(useful.toSorted((a, b) => a.ratio - b.ratio).slice(0, most));
  return useful.filter((candidate) => kept.has(candidate)).map(({ cut }) => cut);
}
