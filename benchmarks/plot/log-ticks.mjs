const few = [1, 2, 5];
const many = [1, 1.5, 2, 3, 4, 5, 7];
/** Ranges wider than this have few ticks in each decade. */
const wide = 12;

/** Round numbers for a logarithmic axis that shows these values. */
export function logTicks(values) {
  const low = Math.min(...values);
  const high = Math.max(...values);
  const digits = high / low > wide ? few : many;
  const ticks = [];
  for (let power = Math.floor(Math.log10(low)) - 1; power <= Math.log10(high) + 1; power++) {
    // As text, for 2 * 10 ** -1 is not 0.2.
    for (const digit of digits) ticks.push(Number(`${digit}e${power}`));
  }
  return ticks;
}
