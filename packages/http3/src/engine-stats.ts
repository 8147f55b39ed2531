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
  /**
   * What was lost unread since the start: packets of connections that had too many waiting for their turn, datagrams of
   * sessions that had too many waiting for the main thread, and packets of peers that were to be ignored
   * (`Session.ignorePeer`). Default: the engine does not count them.
   */
  readonly dropped?: { readonly packets: number; readonly datagrams: number; readonly ignored: number };
  /** How often the engine was replaced since the start: it gave no sign of life, or it ended by itself. */
  readonly restarts: { readonly hang: number; readonly crash: number };
}
