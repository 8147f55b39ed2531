import { ConnectError } from "@sluice/transport";
import { closestName } from "./closest-name.js";
import type { Engine, ListenWishes, Log } from "./engine.js";
import { createFailsEngine } from "./fails/engine.js";
import { createQuicheEngine } from "./quiche/engine.js";
import type { QuicThreadName } from "./quiche/quic-thread.js";
import { createQuinnEngine } from "./quinn/engine.js";
import { createWebSocketEngine } from "./websocket/engine.js";

/** Names that `engine` options take. */
export const engineNames = ["auto", "quinn", "quiche", "fails", "websocket"] as const;

export type EngineName = (typeof engineNames)[number];

/** What `auto` may do. */
export interface SelectEngineOptions {
  /** Takes `websocket`, which has no datagrams, where no engine with QUIC loads. Default false. */
  readonly fallback?: boolean;
  /** Where the engine `quiche` shall run, if it does not run yet in this process. Default `worker`. */
  readonly thread?: QuicThreadName;
  /** What a server was asked for; without it the engine is for a client. */
  readonly listen?: ListenWishes;
  /** Is told what `auto` picked, and why it passed over the others. */
  readonly log?: Log;
}

/** An entry loads its packages when it is called. */
const ENGINES: Readonly<Record<Exclude<EngineName, "auto">, (thread?: QuicThreadName) => Promise<Engine>>> = {
  quinn: () => createQuinnEngine(),
  quiche: createQuicheEngine,
  fails: () => createFailsEngine(),
  websocket: createWebSocketEngine,
};

/**
 * With QUIC, in the order in which `auto` tries them. Servers prefer the library that is kept up to date, clients the
 * one with statistics.
 */
const QUIC_ENGINES = {
  server: ["quinn", "quiche", "fails"],
  client: ["quiche", "quinn", "fails"],
} as const;

const loaded = new Map<string, Promise<Engine>>();

/**
 * The engine of that name; `auto` takes the first one that loads and can do what is asked for: for servers quinn,
 * quiche, fails, for clients quiche, quinn, fails, and with `fallback` websocket.
 * Rejects with `ConnectError` of kind `engine`, whose message says which engines there are and why none could be loaded.
 */
export async function selectEngine(
  name: EngineName = "auto",
  options: SelectEngineOptions = {},
): Promise<Engine> {
  if (!engineNames.includes(name)) throw unknownEngine(name);
  const candidates =
    name === "auto"
      ? [
          ...QUIC_ENGINES[options.listen === undefined ? "client" : "server"],
          ...(options.fallback ? ["websocket" as const] : []),
        ]
      : [name];
  const passedOver: { engine: string; reason: string }[] = [];
  let cause: unknown;
  for (const candidate of candidates) {
    try {
      const engine = await load(candidate, options.thread);
      tellOfThread(engine, options);
      checkOptions(engine, name === "auto", options.listen);
      if (name === "auto") {
        // Only what is not as usual is worth a line at every start.
        const level = passedOver.length > 0 ? "info" : "debug";
        options.log?.(level, "engine picked", { engine: candidate, passedOver });
      }
      return engine;
    } catch (error) {
      cause = error;
      passedOver.push({ engine: candidate, reason: error instanceof Error ? error.message : String(error) });
    }
  }
  const reasons = passedOver.map(({ engine, reason }) => `${engine}: ${reason}`);
  if (name === "auto") reasons.push("websocket: only with the option fallback, or by its name");
  const what = name === "auto" ? "no engine with QUIC can be used" : `the engine ${name} cannot be used`;
  throw new ConnectError("engine", `${what} (known: ${engineNames.join(", ")}): ${reasons.join("; ")}`, {
    cause,
  });
}

/** Throws where the engine cannot do what is asked for. */
function checkOptions(engine: Engine, isAuto: boolean, listen: ListenWishes | undefined): void {
  const judgement = listen === undefined ? undefined : engine.judgeListenOptions?.(listen);
  if (judgement === undefined) return;
  const wrong = [...judgement.impossible, ...(isAuto ? judgement.partial : [])];
  if (wrong.length > 0) throw new ConnectError("engine", `it cannot do ${wrong.join(", ")}`);
}

/** The first one that used the engine has chosen for the process. */
function tellOfThread(
  { name, thread }: Engine,
  { thread: wish = "worker", log, listen }: SelectEngineOptions,
): void {
  if (thread === undefined || thread === wish) return;
  const what = `QUIC runs already ${thread === "worker" ? "in a worker thread" : "on the caller's thread"} of this process, and only there`;
  log?.(listen !== undefined && thread === "caller" ? "warn" : "debug", what, { engine: name, wish });
}

function load(name: Exclude<EngineName, "auto">, thread: QuicThreadName | undefined): Promise<Engine> {
  const known = loaded.get(name);
  if (known !== undefined) return known;
  const engine = ENGINES[name](thread);
  loaded.set(name, engine);
  // What could not be loaded is tried again the next time.
  engine.catch(() => loaded.delete(name));
  return engine;
}

function unknownEngine(name: string): ConnectError {
  const close = closestName(name, engineNames);
  const hint = close === undefined ? "" : `, did you mean ${close}?`;
  return new ConnectError(
    "engine",
    `unknown engine ${JSON.stringify(name)}${hint} (known: ${engineNames.join(", ")})`,
  );
}
