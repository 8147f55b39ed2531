import { TensorError } from "@sluice/tensor";
import { describeUnknown } from "./did-you-mean.js";

/** The parameters that a stage was given, each read with its range and default. */
export interface ParameterReader {
  /** @throws TensorError where it is not an integer in the range */
  integer(name: string, from: number, to: number, fallback: number): number;
  /** With up to nine decimals. @throws TensorError where it is not a number in the range */
  number(name: string, from: number, to: number, fallback: number): number;
  /** @throws TensorError where it is none of the choices */
  choice<T extends string>(name: string, choices: readonly T[], fallback: T): T;
}

/**
 * Reads `name=value,name=value`.
 * @throws TensorError where it has another form, or names a parameter twice or one that the stage does not have
 */
export function readParameters(
  stage: string,
  known: readonly string[],
  text: string | undefined,
  defaults: Readonly<Record<string, string | undefined>>,
): ParameterReader {
  const values = parseValues(stage, known, text);
  const given = (name: string): string | undefined => values.get(name) ?? defaults[name];

  function numeric(name: string, from: number, to: number, fallback: number, whole: boolean): number {
    const text = given(name);
    const value = text === undefined ? fallback : readNumber(text, whole);
    checkNumber(stage, name, value, from, to, whole, text ?? value);
    return value;
  }

  return {
    integer: (name, from, to, fallback) => numeric(name, from, to, fallback, true),
    number: (name, from, to, fallback) => numeric(name, from, to, fallback, false),
    choice(name, choices, fallback) {
      const value = given(name) ?? fallback;
      return checkChoice(stage, name, value, choices);
    },
  };
}

function parseValues(stage: string, known: readonly string[], text: string | undefined): Map<string, string> {
  const values = new Map<string, string>();
  if (text === undefined) return values;
  for (const pair of text.split(",")) {
    const equals = pair.indexOf("=");
    if (equals < 1) {
      throw new TensorError(`codec.${stage}`, `${JSON.stringify(pair)} must have the form name=value`);
    }
    const name = pair.slice(0, equals).trim();
    if (!known.includes(name)) {
      throw new TensorError(`codec.${stage}`, describeUnknown("parameter", name, known));
    }
    if (values.has(name)) throw new TensorError(`codec.${stage}.${name}`, "given twice");
    values.set(name, pair.slice(equals + 1).trim());
  }
  return values;
}

function readNumber(text: string, whole: boolean): number {
  return (whole ? /^\d{1,9}$/ : /^\d{1,9}(\.\d{1,9})?$/).test(text) ? Number(text) : Number.NaN;
}

/** @throws TensorError naming the parameter unless the value is a number of the range, a whole one where asked for */
export function checkNumber(
  stage: string,
  name: string,
  value: number,
  from: number,
  to: number,
  whole: boolean,
  shown: unknown = value,
): void {
  if (value >= from && value <= to && (!whole || Number.isInteger(value))) return;
  const kind = whole ? "an integer" : "a number";
  const got = JSON.stringify(typeof shown === "number" ? String(shown) : shown);
  throw new TensorError(`codec.${stage}.${name}`, `must be ${kind} from ${from} to ${to}, got ${got}`);
}

/** @throws TensorError naming the parameter unless the value is one of the choices */
export function checkChoice<T extends string>(
  stage: string,
  name: string,
  value: string,
  choices: readonly T[],
): T {
  const choice = choices.find((known) => known === value);
  if (choice !== undefined) return choice;
  const listed = choices.length < 3 ? choices.join(" or ") : `one of ${choices.join(", ")}`;
  throw new TensorError(`codec.${stage}.${name}`, `must be ${listed}, got ${JSON.stringify(value)}`);
}

/**
 * A number as a codec's text writes it: as few digits as it needs, at most nine decimals, no exponent. What it stands for
 * is what the text says: the parameter is rounded to it.
 */
export function formatNumber(value: number): string {
  const text = String(value);
  return text.includes("e") || (text.split(".")[1]?.length ?? 0) > 9
    ? value.toFixed(9).replace(/\.?0+$/, "")
    : text;
}
