import type { CapturedFrame } from "@sluice/server";
import { sliceRange } from "@sluice/tensor";

/** Units first to end, exclusive. */
export interface UnitRun {
  readonly first: number;
  readonly end: number;
}

type Came = Pick<CapturedFrame, "slices">;

/** Places of a map on one line. */
const mapWidth = 64;

/** The units of which nothing came, as runs. */
export function lostRuns({ slices }: Came, units: number): UnitRun[] {
  const runs: UnitRun[] = [];
  let covered = 0;
  const ranges = slices.map(({ index, count }) => sliceRange(index, count, units));
  for (const { first, end } of ranges.sort((a, b) => a.first - b.first)) {
    if (first > covered) runs.push({ first: covered, end: first });
    covered = Math.max(covered, end);
  }
  if (covered < units) runs.push({ first: covered, end: units });
  return runs;
}

/** A sign for each part of a tensor: `#` came, `+` was recovered by error correction, `.` is lost, `~` came in part. */
export function lossMap({ slices }: Came, units: number): string {
  const width = Math.min(mapWidth, units);
  const came = new Float64Array(width);
  const recovered = new Uint8Array(width);
  for (const { index, count, isRecovered } of slices) {
    const { first, end } = sliceRange(index, count, units);
    for (let place = Math.floor((first * width) / units); place < width; place++) {
      const from = (place * units) / width;
      if (from >= end) break;
      came[place]! += Math.min(end, from + units / width) - Math.max(first, from);
      if (isRecovered) recovered[place] = 1;
    }
  }
  const enough = (1 - 1e-9) * (units / width);
  return Array.from(came, (share, place) => {
    if (share === 0) return ".";
    if (share < enough) return "~";
    return recovered[place] ? "+" : "#";
  }).join("");
}
