import { errorCodeName } from "@sluice/protocol";

/** The server ended the session or refused a tensor stream; `code` is from the error registry. */
export class ClientError extends Error {
  override readonly name = "ClientError";
  constructor(
    readonly kind: "session-closed" | "stream-rejected",
    readonly code: number,
    reason: string,
  ) {
    super(reason || errorCodeName(code));
  }
}
