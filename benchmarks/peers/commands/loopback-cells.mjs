// What is measured on loopback.

export const sizes = [64, 5_120, 100_352, 401_408, 802_816];
export const inFlights = [1, 8];
/** Long: nothing is late here, and what is lost for good must not hold up its lane for ever. */
export const deadlineMs = 1_000;

const cellKey = ({ bytes, name, round }) => `${bytes} B, ${name}, round ${round}`;

/** All cells in the order in which they are measured: all systems one after another, the order turned round each time. */
export function cellsOf(names, rounds) {
  return Array.from({ length: rounds }, (_, round) => {
    const ordered = round % 2 === 0 ? names : [...names].reverse();
    return sizes.flatMap((bytes) => ordered.map((name) => ({ bytes, name, round })));
  })
    .flat()
    .map((cell) => ({ key: cellKey(cell), ...cell }));
}
