/** The text forms of forward error correction (spec 5.8): `rs:max=15,span=1` and `xor:max=15,span=1`. */

/** What a stream's datagrams are protected with. */
export interface FecOptions {
  /** `rs`: Reed-Solomon, as many symbols for a group as are worth it; `xor`: one symbol for each group. */
  readonly code: "rs" | "xor";
  /** Bytes of repair symbols for 100 bytes of the datagrams that they protect, at most: 1 to 100. */
  readonly maxPercent: number;
  /** Consecutive frames that one group may span: 1 to 8. */
  readonly span: number;
}

const codes = ["rs", "xor"] as const;
const parameters = {
  max: { field: "maxPercent", from: 1, to: 100 },
  span: { field: "span", from: 1, to: 8 },
} as const;
const defaults = { maxPercent: 15, span: 1 };

/** The longest text, in characters. */
const maxTextLength = 64;

/**
 * Reads a text form; `undefined` for the empty text.
 * @throws RangeError that names what cannot be read
 */
export function parseFec(text: string): FecOptions | undefined {
  if (text === "") return undefined;
  if (text.length > maxTextLength) throw new RangeError(`fec: longer than ${maxTextLength} characters`);
  const colon = text.indexOf(":");
  const name = (colon < 0 ? text : text.slice(0, colon)).trim();
  const code = codes.find((known) => known === name);
  if (!code) throw new RangeError(`fec: unknown code ${JSON.stringify(name)} (known: ${codes.join(", ")})`);
  const read: { maxPercent?: number; span?: number } = {};
  for (const pair of colon < 0 ? [] : text.slice(colon + 1).split(",")) {
    const [key = "", value = "", ...more] = pair.split("=").map((part) => part.trim());
    const parameter = Object.hasOwn(parameters, key) ? parameters[key as keyof typeof parameters] : undefined;
    if (!parameter || more.length > 0)
      throw new RangeError(`fec.${code}: ${JSON.stringify(pair.trim())} must be max=N or span=N`);
    const { field, from, to } = parameter;
    const number = /^\d{1,9}$/.test(value) ? Number(value) : Number.NaN;
    if (read[field] !== undefined) throw new RangeError(`fec.${code}.${key}: given twice`);
    if (!(number >= from && number <= to))
      throw new RangeError(
        `fec.${code}.${key}: must be a whole number from ${from} to ${to}, got ${JSON.stringify(value)}`,
      );
    read[field] = number;
  }
  return { code, ...defaults, ...read };
}

/** The canonical text, which names every parameter. */
export function formatFec({ code, maxPercent, span }: FecOptions): string {
  return `${code}:max=${maxPercent},span=${span}`;
}
