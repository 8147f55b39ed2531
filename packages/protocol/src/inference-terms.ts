/**
 * Where the time of one inference goes (Ulhaq & Bajić, "Shared mobile-cloud inference for collaborative intelligence"):
 * I_t = I_c + E_c + D / B + RTT + E_s + I_s. With the bandwidth B as the only variable it is I_t = b + D / B, so that
 * each way to run a network wins in one interval of B.
 */

/** Where a network runs: all of it at the client, cut between both, or all of it at the server. */
export const strategies = ["client", "shared", "server"] as const;
export type Strategy = (typeof strategies)[number];

/** The terms that belong to a way to run a network: what runs where, and what is sent. Durations in milliseconds. */
export interface InferenceTerms {
  /** I_c: the client's part of the network. */
  readonly clientMs: number;
  /** E_c: encoding what is sent. */
  readonly encodeMs: number;
  /** D: bytes of one encoded tensor; 0 where nothing is sent. */
  readonly bytes: number;
  /** E_s: decoding at the server. */
  readonly decodeMs: number;
  /** I_s: the server's part of the network. */
  readonly serverMs: number;
}

/** The terms that belong to the path. */
export interface PathTerms {
  /** B; above 0. */
  readonly bitsPerSecond: number;
  readonly rttMs: number;
}

/** I_t in milliseconds. Where nothing is sent the path does not matter. */
export function totalInferenceMs(terms: InferenceTerms, { bitsPerSecond, rttMs }: PathTerms): number {
  const { clientMs, encodeMs, bytes, decodeMs, serverMs } = terms;
  const networkMs = bytes === 0 ? 0 : (bytes * 8_000) / bitsPerSecond + rttMs;
  return clientMs + encodeMs + networkMs + decodeMs + serverMs;
}
