// How cost grows with work, along one axis at a time.

/** Frames a second of all sessions together, so that only their number grows. */
export const framesPerSecond = 200;
const sessionCounts = [1, 10, 50, 100, 250, 500];
const KIB = 1_024;
const sizes = [KIB, 16 * KIB, 256 * KIB, 1_024 * KIB, 4_096 * KIB, 16_384 * KIB];
const losses = [0, 0.01, 0.05, 0.1, 0.2, 0.3];
const roundTrips = [1, 10, 50, 100, 200, 300];

/** Over the TUN link: what is sent there, and what the link is where the axis does not say. */
export const stream = { bytes: 5_120, framesPerSecond: 30, cap: 32 };
export const link = { rateBitsPerSecond: 20_000_000, delayMs: 20, queueMs: 100, loss: 0 };
/** A result is in time within a round trip and so long: half of it for what the link adds, half for a second try. */
export const slackMs = 110;

/** What each axis measures, and by whom. */
export const axes = {
  sessions: {
    title: "Sessions on one server",
    unit: "sessions",
    systems: ["sluice", "ws"],
    values: sessionCounts,
  },
  bytes: {
    title: "Size of a tensor",
    unit: "bytes",
    systems: ["sluice", "sluice-reliable", "ws"],
    values: sizes,
  },
  loss: {
    title: "Loss each way",
    unit: "lost each way, percent",
    systems: ["sluice", "ws", "deno"],
    values: losses,
    needsLink: true,
  },
  rttMs: {
    title: "Round trip",
    unit: "round trip, ms",
    systems: ["sluice", "ws", "deno"],
    values: roundTrips,
    needsLink: true,
  },
};

/** Cells in the order in which they are measured; what is compared follows one another. */
export function cellsOf(names, rounds) {
  return Array.from({ length: rounds }, (_, round) =>
    Object.entries(axes).flatMap(([axis, { systems, values }]) => {
      const mine = systems.filter((name) => names.includes(name));
      const ordered = round % 2 === 0 ? mine : [...mine].reverse();
      return values.flatMap((value) =>
        ordered.map((name) => ({
          key: `${axis} ${value}, ${name}, round ${round}`,
          ...{ axis, value, name, round },
        })),
      );
    }),
  ).flat();
}
