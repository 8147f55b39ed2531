import { parseArgs } from "node:util";
import { companionKinds } from "./companions.mjs";
import { faults } from "./plan.mjs";

export const usage = `npm run soak -- [options]: faults, one after another, through the real server, path and clients
  --minutes N        how long (default 60); below 5 the faults are short
  --seed N           what happens when follows from it (default 1)
  --only NAMES       these kinds of faults only, or whole groups, with commas: network, process, hostile,
                     ${listNames()}
  --fps N            frames a second of each of the three streams (default 5)
  --deadline-ms N    what is in time (default 1000)
  --recover N        seconds after a fault within which results have to be in time again (default 60)
  --beside NAMES     further clients that go through all of it, with commas, or all: ${Object.keys(companionKinds).join(", ")};
                     "sluice stream" in its modes, and a page of Chromium (default none)
  --model FILE       the server serves this network too, to a "sluice stream" with synthetic inputs
  --split TENSOR     where that network is cut (default: the server has all of it)
  --engine NAME      transport of the server: auto, quiche or quinn (default auto)
  --json             the report as JSON instead of Markdown; progress goes to stderr
Ends with 0 where everything held, 1 where something did not, 2 for a wrong option.`;

function listNames() {
  return faults
    .map(({ name }) => name)
    .join(", ")
    .replaceAll(/(.{60,90}?), /g, "$1,\n                     ");
}

/** @throws Error naming the option */
export function readOptions(args) {
  const text = (fallback) => ({ type: "string", default: fallback });
  const { values } = parseArgs({
    args,
    options: {
      ...{ minutes: text("60"), seed: text("1"), only: { type: "string" }, fps: text("5") },
      ...{ beside: text(""), model: { type: "string" }, split: { type: "string" } },
      ...{ "deadline-ms": text("1000"), recover: text("60"), engine: text("auto") },
      ...{ json: { type: "boolean", default: false }, help: { type: "boolean", default: false } },
    },
  });
  const read = (name, least, most) => {
    const value = Number(values[name]);
    if (!(value >= least && value <= most))
      throw new Error(`--${name} must be from ${least} to ${most}, got "${values[name]}"`);
    return value;
  };
  if (!["auto", "quiche", "quinn"].includes(values.engine))
    throw new Error(`--engine must be auto, quiche or quinn, got "${values.engine}"`);
  if (values.split !== undefined && values.model === undefined)
    throw new Error("--split is for a --model of one's own");
  if (values.seed === "") throw new Error("--seed must not be empty");
  return {
    ...{ minutes: read("minutes", 0.1, 10_080), seed: values.seed, kinds: readKinds(values.only) },
    ...{ framesPerSecond: read("fps", 1, 120), deadlineMs: read("deadline-ms", 50, 10_000) },
    ...{ recoverSeconds: read("recover", 1, 600), engine: values.engine },
    ...{ companions: readCompanions(values.beside), model: values.model, split: values.split },
    ...{ json: values.json, help: values.help },
  };
}

function readKinds(only) {
  if (only === undefined) return faults;
  const wanted = only.split(",").map((name) => name.trim());
  for (const name of wanted) {
    if (!faults.some((fault) => fault.name === name || fault.group === name))
      throw new Error(
        `--only: there is no fault "${name}"; there are ${faults.map((one) => one.name).join(", ")}`,
      );
  }
  return faults.filter(({ name, group }) => wanted.includes(name) || wanted.includes(group));
}

function readCompanions(text) {
  const names = text.split(",").filter((name) => name !== "");
  if (names.includes("all")) return Object.keys(companionKinds);
  for (const name of names) {
    if (!Object.hasOwn(companionKinds, name))
      throw new Error(
        `--beside: there is no client "${name}"; there are ${Object.keys(companionKinds).join(", ")} and all`,
      );
  }
  return names;
}
