/** Reads what unpacked MessagePack holds; every error is a RangeError that names the field. */

export type Fields = Readonly<Record<string, unknown>>;

export function readFields(value: unknown, name: string): Fields {
  if (typeof value !== "object" || value === null || Array.isArray(value) || value instanceof Uint8Array) {
    throw new RangeError(`${name}: not a map`);
  }
  return value as Fields;
}

export function readInteger(fields: Fields, name: string, from: number, to: number): number {
  const value = fields[name];
  if (typeof value === "number" && Number.isInteger(value) && value >= from && value <= to) return value;
  throw new RangeError(`${name}: not a whole number from ${from} to ${to}`);
}

export function readNumber(fields: Fields, name: string): number {
  const value = fields[name];
  if (typeof value === "number" && Number.isFinite(value)) return value;
  throw new RangeError(`${name}: not a finite number`);
}

export function readText(fields: Fields, name: string, maxLength: number): string {
  const value = fields[name];
  if (typeof value === "string" && value.length <= maxLength) return value;
  throw new RangeError(`${name}: not a text of at most ${maxLength} characters`);
}

export function readBytes(fields: Fields, name: string, least: number, most: number): Uint8Array {
  const value = fields[name];
  if (value instanceof Uint8Array && value.length >= least && value.length <= most) return value;
  throw new RangeError(`${name}: not ${least === most ? least : `${least} to ${most}`} bytes`);
}

export function readList(fields: Fields, name: string, most: number): readonly unknown[] {
  const value = fields[name];
  if (Array.isArray(value) && value.length <= most) return value;
  throw new RangeError(`${name}: not a list of at most ${most} entries`);
}
