// Sluice side by side with what else carries tensors to a server. `--help` lists commands and options.
import process from "node:process";
import { parseArgs } from "node:util";
import { commands } from "./peers/commands/index.mjs";
import { systems } from "./peers/systems/index.mjs";

const USAGE = `node benchmarks/peers.mjs COMMAND [options]

${Object.entries(commands)
  .map(([name, { about }]) => `  ${name.padEnd(12)} ${about}`)
  .join("\n")}

  --seconds S       counted of each cell; default: the command's own
  --rounds N        how often each cell is measured, order turned round each time; default: the command's own
  --lanes N         cells at a time, each over a path of its own; default: the command's own
  --seed N          of contents and losses, default 1
  --only A,B        only these systems, of ${Object.keys(systems).join(", ")}
  --cells REGEX     only the cells whose name matches
  --record          write benchmarks/results/peers/COMMAND.jsonl
  --resume          with --record: keep the cells that the file has by this commit and seed
  --json            one JSON line for each cell on standard output instead of a table`;

function parseOptions(args) {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      seconds: { type: "string" },
      rounds: { type: "string" },
      lanes: { type: "string" },
      seed: { type: "string", default: "1" },
      only: { type: "string" },
      cells: { type: "string", default: "" },
      record: { type: "boolean", default: false },
      resume: { type: "boolean", default: false },
      json: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return { help: true };
  const [command] = positionals;
  if (!Object.hasOwn(commands, command ?? ""))
    throw new RangeError(
      `no command ${JSON.stringify(command)} (known: ${Object.keys(commands).join(", ")})`,
    );
  return {
    ...values,
    command,
    seconds: positive("seconds", values.seconds),
    rounds: positive("rounds", values.rounds),
    lanes: positive("lanes", values.lanes),
    seed: positive("seed", values.seed),
    only: values.only?.split(","),
    cells: new RegExp(values.cells),
  };
}

/** `undefined` where it was not given. */
function positive(name, text) {
  const value = Number(text);
  if (text !== undefined && !(value > 0)) throw new RangeError(`--${name} must be above 0, got ${text}`);
  return text === undefined ? undefined : value;
}

try {
  const options = parseOptions(process.argv.slice(2));
  if (options.help) console.log(USAGE);
  else process.exitCode = (await commands[options.command].run(options)) ?? 0;
} catch (error) {
  console.error(error instanceof RangeError ? `peers: ${error.message}\n\n${USAGE}` : error);
  process.exitCode = 2;
}
