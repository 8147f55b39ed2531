/** How the path changes: whole seconds, so that a run's timeline falls into them. */
const link = { delayMs: 20, queueMs: 100, mtuBytes: 1_500, loss: 0 };
const mbit = (rate) => ({ ...link, rateBitsPerSecond: rate * 1e6 });

export const phases = [
  { name: "20 Mbit/s", seconds: 10, path: mbit(20) },
  { name: "2 Mbit/s", seconds: 10, path: mbit(2) },
  { name: "0.3 Mbit/s", seconds: 10, path: mbit(0.3) },
  { name: "50 Mbit/s", seconds: 10, path: mbit(50) },
  { name: "blackout", seconds: 3, path: { ...mbit(50), loss: 1 } },
  { name: "50 Mbit/s again", seconds: 7, path: mbit(50) },
];

export const totalSeconds = phases.reduce((sum, { seconds }) => sum + seconds, 0);

/** Changes a relay from now on, phase by phase. @returns what stops it */
export function playPhases(relay) {
  const timers = [];
  let atMs = 0;
  for (const { seconds, path } of phases) {
    timers.push(setTimeout(() => relay.set({ up: path, down: path }), atMs));
    atMs += 1_000 * seconds;
  }
  return () => timers.forEach(clearTimeout);
}

/** Sums a figure of the timeline over each phase. */
export function sumPhases(timeline, figure) {
  let from = 0;
  return phases.map(({ seconds }) => {
    const part = timeline.slice(from, from + seconds);
    from += seconds;
    return part.reduce((sum, second) => sum + second[figure], 0);
  });
}
