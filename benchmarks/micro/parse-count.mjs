/** An option that is a number of something. @throws Error naming it, unless it is an integer from 1 to `max` */
export function parseCount(field, text, max) {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1 && value <= max) return value;
  throw new Error(`--${field} must be an integer from 1 to ${max}, got ${JSON.stringify(text)}`);
}
