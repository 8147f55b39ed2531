// How figures of several rounds are written in tables.
import { median } from "../../accuracy/quantile.mjs";
import { systems } from "../systems/index.mjs";

export const percent = (value) => (Number.isFinite(value) ? `${(value * 100).toFixed(1)}` : "–");
export const milliseconds = (value) => (Number.isFinite(value) ? value.toFixed(0) : "–");

export const titleOf = ({ name, congestion }) => systems[name].title + (congestion ? ` (${congestion})` : "");

/** Median over the rounds, with least and greatest where they differ in what is shown. */
export function overRounds(values, format) {
  const known = values.filter((value) => Number.isFinite(value));
  if (known.length === 0) return "–";
  const [least, middle, most] = [Math.min(...known), mid(known), Math.max(...known)].map(format);
  return least === most ? middle : `${middle} (${least} to ${most})`;
}

/** Of an even number of rounds the mean of the two in the middle. */
function mid(values) {
  const negated = values.map((value) => -value);
  return (median(values) - median(negated)) / 2;
}
