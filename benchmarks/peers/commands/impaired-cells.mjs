// What is measured over the narrow, lossy link.
import { losses as conditions, sizes } from "../../link/cells.mjs";
import { systems } from "../systems/index.mjs";

export const link = { rateBitsPerSecond: 20_000_000, delayMs: 20, queueMs: 100 };
/** The same as without others beside us. */
export { deadlineMs, framesPerSecond, losses as conditions, sizes } from "../../link/cells.mjs";

/**
 * Frames of any system that may be under way. A frame has 150 ms, in which four more fall due: with more than these under
 * way, over a queue that all share, each would be late before it is sent. What is more goes to waste in a TCP queue.
 */
export const cap = 4;

/** Those that are much like another one are measured at fewer conditions, to stay within 20 minutes. */
const likeAnother = new Set(["sluice-whole", "sluice-reliable", "grpc-tuned", "http1", "http2", "zeromq"]);
const isFew = ({ loss, burst }) => burst === 1 && loss !== 0.01;

/** A system as it is measured: one over TCP once with each congestion control. */
export function variantsOf(names) {
  return names.flatMap((name) =>
    systems[name].transport === "tcp"
      ? ["cubic", "bbr"].map((congestion) => ({ variant: `${name}-${congestion}`, name, congestion }))
      : [{ variant: name, name }],
  );
}

export const lossName = ({ loss, burst }) =>
  loss === 0 ? "no loss" : `${loss * 100} %${burst > 1 ? ` in bursts of ${burst}` : ""}`;

const cellKey = ({ bytes, variant, round, ...condition }) =>
  [`${bytes} B`, lossName(condition), variant, `round ${round}`].join(", ");

/**
 * All cells in the order in which they are measured: what is compared follows one another, in an order that turns round
 * with each round.
 */
export function cellsOf(names, rounds) {
  const variants = variantsOf(names);
  return Array.from({ length: rounds }, (_, round) => {
    const ordered = round % 2 === 0 ? variants : [...variants].reverse();
    return sizes.flatMap((bytes) =>
      conditions.flatMap((condition) =>
        ordered
          .filter(({ name }) => !likeAnother.has(name) || isFew(condition))
          .map((variant) => ({ bytes, ...condition, ...variant, round })),
      ),
    );
  })
    .flat()
    .map((cell) => ({ key: cellKey(cell), ...cell }));
}

const bounds = [
  { bytes: 5_120, loss: 0.05, burst: 1 },
  { bytes: 100_352, loss: 0.02, burst: 1 },
];

/** Where something has to hold; over TCP with BBR, which does better there than cubic does. */
export function boundCellsOf(names, rounds) {
  const isBound = (cell) =>
    bounds.some(
      ({ bytes, loss, burst }) => cell.bytes === bytes && cell.loss === loss && cell.burst === burst,
    );
  return cellsOf(names, rounds).filter((cell) => isBound(cell) && cell.congestion !== "cubic");
}
