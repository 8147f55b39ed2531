/** Hex as a person writes it, with blanks and comments behind `;`, without them. */
export function hex(text) {
  const digits = text.replace(/;.*$/gm, "").replaceAll(/\s/g, "");
  if (!/^([0-9a-f]{2})*$/.test(digits)) throw new Error(`not hex: ${text}`);
  return digits;
}
