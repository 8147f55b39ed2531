import { minPeerSilenceMs, peerSilenceMs, silencePerLife } from "./limits.js";
import { silentAfterMs } from "./pinger.js";

/** When a client was heard of, and how long its server waits for it (spec 5.7). */
export interface ClientSigns {
  /** A sign of life. @returns whether the client was silent until then */
  hear(nowMs: number): boolean;
  /** Looks whether the client has fallen silent. */
  look(nowMs: number): void;
  /** Nothing but pings is to be sent: the client cannot be reached, as far as one can tell. */
  readonly isSilent: boolean;
  readonly heardMs: number;
  /** How long the client is waited for from then on: sessions that come and go at once do not add up. */
  readonly patienceMs: number;
}

export function createClientSigns(startMs: number): ClientSigns {
  let heardMs = startMs;
  let isSilent = false;
  return {
    hear(nowMs) {
      const wasSilent = isSilent;
      heardMs = nowMs;
      isSilent = false;
      return wasSilent;
    },
    look(nowMs) {
      isSilent = nowMs - heardMs > silentAfterMs;
    },
    get isSilent() {
      return isSilent;
    },
    get heardMs() {
      return heardMs;
    },
    get patienceMs() {
      return Math.max(minPeerSilenceMs, Math.min(peerSilenceMs, silencePerLife * (heardMs - startMs)));
    },
  };
}
