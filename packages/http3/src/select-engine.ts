import { ConnectError } from "@sluice/transport";
import type { Engine } from "./engine.js";
import { createQuicheEngine } from "./quiche/engine.js";

/** Known engines, in the order in which `auto` tries them. An entry loads its native code when it is called. */
const ENGINES: ReadonlyMap<string, () => Promise<Engine>> = new Map([["quiche", createQuicheEngine]]);

/** Names that `engine` options take. */
export type EngineName = "auto" | "quiche";

const loaded = new Map<string, Promise<Engine>>();

/**
 * The engine of that name; `auto` takes the first one that loads. Rejects with `ConnectError` of kind
 * `engine`, whose message says which engines there are and why none could be loaded.
 */
export async function selectEngine(name: EngineName = "auto"): Promise<Engine> {
  const candidates = name === "auto" ? [...ENGINES.keys()] : [name];
  const reasons: string[] = [];
  let cause: unknown;
  for (const candidate of candidates) {
    const load = ENGINES.get(candidate);
    if (load === undefined) {
      reasons.push(`${candidate} is not known`);
      continue;
    }
    const engine = loaded.get(candidate) ?? load();
    loaded.set(candidate, engine);
    try {
      return await engine;
    } catch (error) {
      loaded.delete(candidate);
      cause = error;
      reasons.push(`${candidate}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  const known = [...ENGINES.keys()].join(", ");
  throw new ConnectError("engine", `no QUIC engine (known: ${known}): ${reasons.join("; ")}`, { cause });
}
