import { StreamError } from "@sluice/transport";

/** What a {@link WebTransportError} is made of. */
export interface WebTransportErrorOptions {
  readonly source?: "stream" | "session";
  /** The application's code, 0 to 2^32 - 1. */
  readonly streamErrorCode?: number | null;
}

/** https://www.w3.org/TR/webtransport/#webtransporterror */
export class WebTransportError extends DOMException {
  readonly source: "stream" | "session";
  readonly streamErrorCode: number | null;

  constructor(message = "", options: WebTransportErrorOptions = {}) {
    super(message, "WebTransportError");
    this.source = options.source ?? "stream";
    this.streamErrorCode = options.streamErrorCode ?? null;
  }
}

/** The error that the standard has for a failure of a stream. */
export function toWebTransportError(error: unknown): unknown {
  if (!(error instanceof StreamError)) return error;
  if (error.kind === "closed") return new WebTransportError(error.message, { source: "session" });
  return new WebTransportError(error.message, { source: "stream", streamErrorCode: error.code });
}

/**
 * The code that `reason`, given to `abort` or `cancel`, sends to the peer: that of a WebTransportError, else 0. An error
 * of another library counts too, if it has the code in the same place.
 */
export function streamErrorCodeOf(reason: unknown): number {
  if (typeof reason !== "object" || reason === null || !("streamErrorCode" in reason)) return 0;
  return typeof reason.streamErrorCode === "number" ? reason.streamErrorCode >>> 0 : 0;
}
