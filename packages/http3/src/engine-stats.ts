import type { RefusalCounts } from "./admission/refusals.js";

/** How a server stands on one of its engines. */
export interface EngineStats {
  readonly engine: string;
  /** Whether it takes connections; false while a dead worker is replaced. */
  readonly isListening: boolean;
  /** Connections that are open, those included that are shaking hands. */
  readonly connections: number;
  readonly handshakes: number;
  /** Retry packets sent since the start. */
  readonly retries: number;
  /** Clients that the engine did not serve since the start, by reason. */
  readonly refused: RefusalCounts;
  /** How often the engine was replaced since the start: it gave no sign of life, or it ended by itself. */
  readonly restarts: { readonly hang: number; readonly crash: number };
}
