// Runs one function of scenarios.mjs in Deno: deno run ... deno-peer.mjs '["name", ...parameters]'
import * as scenarios from "./scenarios.mjs";

const [name, ...parameters] = JSON.parse(Deno.args[0]);
const scenario = Object.entries(scenarios).find(([key]) => key === name)?.[1];
if (scenario === undefined) throw new RangeError(`no scenario ${name}`);
console.log(JSON.stringify((await scenario(...parameters)) ?? null));
Deno.exit(0);
