import { parseArgs } from "node:util";
import { engineNames } from "./peers.mjs";

export const USAGE = `node benchmarks/micro/transport.mjs [options]
  --rounds N        1 to 100, default 5; the order of the peers turns round with each
  --seconds S       length of each measurement, 0.1 to 60, default 2
  --only REGEX      only the measures whose id matches
  --engines A,B     of ${engineNames.join(", ")}; default all that load
  --json            raw results as JSON lines on standard output instead of the table
  --record          write benchmarks/results/transport.jsonl and transport.md
  --note TEXT       said beside a recorded result, as "the machine was shared"`;

/** Thrown for what the command line gets wrong. */
export class UsageError extends Error {}

function parseNumber(field, text, min, max) {
  const value = Number(text);
  if (text.trim() === "" || !(value >= min && value <= max)) {
    throw new UsageError(`--${field} must be a number from ${min} to ${max}, got ${JSON.stringify(text)}`);
  }
  return value;
}

function parsePattern(text) {
  try {
    return new RegExp(text);
  } catch (error) {
    throw new UsageError(`--only: ${error.message}`);
  }
}

function parseEngines(text) {
  const names = text.split(",");
  const unknown = names.find((name) => !engineNames.includes(name));
  if (unknown === undefined) return names;
  throw new UsageError(`--engines: unknown ${JSON.stringify(unknown)} (known: ${engineNames.join(", ")})`);
}

function parseValues(args) {
  try {
    return parseArgs({
      args,
      options: {
        rounds: { type: "string", default: "5" },
        seconds: { type: "string", default: "2" },
        only: { type: "string", default: "" },
        engines: { type: "string", default: engineNames.join(",") },
        note: { type: "string", default: "" },
        json: { type: "boolean", default: false },
        record: { type: "boolean", default: false },
        help: { type: "boolean", default: false },
      },
    }).values;
  } catch (error) {
    throw new UsageError(error.message);
  }
}

/** The checked command line; throws `UsageError`. */
export function parseOptions(args) {
  const values = parseValues(args);
  return {
    ...values,
    rounds: Math.trunc(parseNumber("rounds", values.rounds, 1, 100)),
    seconds: parseNumber("seconds", values.seconds, 0.1, 60),
    only: parsePattern(values.only),
    engines: parseEngines(values.engines),
  };
}
