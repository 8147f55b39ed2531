import { median } from "../../accuracy/quantile.mjs";

/** Of an even number of rounds the mean of the two in the middle. */
export function middle(values) {
  const negated = values.map((value) => -value);
  return (median(values) - median(negated)) / 2;
}

/** Median over the rounds, with least and greatest where they differ in what is shown; a dash without a number. */
export function overRounds(values, format) {
  const known = values.filter((value) => Number.isFinite(value));
  if (known.length === 0) return "–";
  const [least, mid, most] = [Math.min(...known), middle(known), Math.max(...known)].map(format);
  return least === most ? mid : `${mid} (${least} to ${most})`;
}

/** Three digits, and what is above a thousand with separators. */
export function threeDigits(value) {
  if (value === 0) return "0";
  if (value >= 1_000) return Math.round(Number(value.toPrecision(3))).toLocaleString("en-US");
  return String(Number(value.toPrecision(3)));
}
