// How much a quantile of pooled windows changes, and how sure that is.
import { createRandom } from "../../packages/simnet/dist/index.js";
import { quantile } from "../accuracy/quantile.mjs";

const resamples = 1_000;
const level = 0.95;

/** Of the frames of all these rounds together; a frame without a result took for ever. */
function pooled(rounds, side, share) {
  return quantile(
    rounds.flatMap((round) => round[side]),
    share,
  );
}

/**
 * The change of a quantile against what it is without, with a bootstrap interval over whole rounds: frames of one window
 * share what the machine did in it.
 * @param rounds in each the latencies of both sides, `{ without, beside }`
 * @param share of the quantile, 0..1
 */
export function changeOfQuantile(rounds, share, seed = 1) {
  const random = createRandom(seed);
  const change = (some) => pooled(some, "beside", share) / pooled(some, "without", share) - 1;
  const changes = Array.from({ length: resamples }, () =>
    change(rounds.map(() => rounds[Math.floor(random.next() * rounds.length)])),
  );
  return {
    change: change(rounds),
    low: quantile(changes, (1 - level) / 2),
    high: quantile(changes, (1 + level) / 2),
  };
}
