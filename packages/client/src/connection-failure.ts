import { ErrorCode, errorCodeName, mayTryAgain } from "@sluice/protocol";
import { ConnectError } from "@sluice/transport/core";
import { ClientError } from "./client-error.js";

/** Why there is no session, or no session any more. */
export interface ConnectionFailure {
  /** From the error registry; 0 where the transport failed. */
  readonly code: number;
  readonly reason: string;
  /** Whether another attempt may do better. */
  readonly again: boolean;
}

/** What asking again in the same way would not change. */
const finalConnectErrors: ReadonlySet<ConnectError["kind"]> = new Set(["certificate", "rejected", "bad-url"]);

/** What an attempt to connect has thrown. */
export function describeFailure(error: unknown): ConnectionFailure {
  if (error instanceof ClientError) return describeEnd(error.code, error.message);
  const reason = error instanceof Error && error.message !== "" ? error.message : String(error);
  const again = !(error instanceof ConnectError && finalConnectErrors.has(error.kind));
  return { code: ErrorCode.none, reason, again };
}

/** How a session has ended. */
export function describeEnd(code: number, reason: string): ConnectionFailure {
  return { code, reason: reason || errorCodeName(code), again: mayTryAgain(code) };
}
