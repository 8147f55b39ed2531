// Whether something grows, robustly: the Theil-Sen estimator over the floors of windows, with Sen's interval.
// P. K. Sen, "Estimates of the regression coefficient based on Kendall's tau", JASA 63 (1968).

import { groupBy } from "../tables.mjs";

const lifeOf = ({ life }) => life;
/** Of the normal distribution, for 95 %. */
const z = 1.96;

/**
 * The lowest of each so many looks of one life of a process, without its first ones, in which caches fill.
 * @param {readonly { life: number, minutes: number, value: number }[]} looks in order
 * @param {{ perWindow: number, warmUpMinutes: number }} how
 */
export function floors(looks, { perWindow, warmUpMinutes }) {
  return [...groupBy(looks, lifeOf).values()].flatMap((life) => {
    const warm = life.filter(({ minutes }) => minutes - life[0].minutes >= warmUpMinutes);
    const windows = [];
    for (let at = 0; at + perWindow <= warm.length; at += perWindow) {
      const window = warm.slice(at, at + perWindow);
      windows.push(window.reduce((least, one) => (one.value < least.value ? one : least)));
    }
    return windows;
  });
}

/**
 * The median of the slopes between any two points of one life, for each minute, and its 95 % interval.
 * @param {readonly { life: number, minutes: number, value: number }[]} points
 * @returns {{ perMinute: number, low: number, high: number, points: number } | undefined} `undefined`: fewer than two points
 */
export function theilSen(points) {
  const slopes = [];
  let variance = 0;
  for (const life of groupBy(points, lifeOf).values()) {
    const n = life.length;
    variance += (n * (n - 1) * (2 * n + 5)) / 18;
    for (let i = 0; i < n; i++) {
      for (let k = i + 1; k < n; k++) {
        const minutes = life[k].minutes - life[i].minutes;
        if (minutes > 0) slopes.push((life[k].value - life[i].value) / minutes);
      }
    }
  }
  if (slopes.length === 0) return undefined;
  slopes.sort((a, b) => a - b);
  const at = (rank) => slopes[Math.min(slopes.length - 1, Math.max(0, rank))];
  const half = z * Math.sqrt(variance);
  const middle = slopes.length / 2;
  return {
    perMinute: (at(Math.floor(middle - 0.5)) + at(Math.ceil(middle - 0.5))) / 2,
    low: at(Math.floor((slopes.length - half) / 2)),
    high: at(Math.ceil((slopes.length + half) / 2)),
    points: points.length,
  };
}
