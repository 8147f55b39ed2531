/** How an implementation puts the application's code into the errors of its streams. */
export interface W3cStreamErrors {
  /** The reason for `abort` and `cancel` that sends `code` to the peer. */
  create(code: number): unknown;
  /** The peer's code in an error; `undefined` where the error is no reset or stop by the peer. */
  codeOf(error: unknown): number | undefined;
}

/** A reset or stop whose code the implementation does not tell. */
const UNKNOWN_CODE = 0;

type ErrorConstructor = new (...parameters: unknown[]) => unknown;

/**
 * Errors as the standard has them (`WebTransportError` with `streamErrorCode`,
 * https://www.w3.org/TR/webtransport/#webtransporterror). `host` is the global object, where the class is looked up.
 */
export function createW3cStreamErrors(host: object): W3cStreamErrors {
  const found: unknown = Reflect.get(host, "WebTransportError");
  const errorClass = typeof found === "function" ? (found as ErrorConstructor) : undefined;
  return {
    create(streamErrorCode) {
      const message = `code ${streamErrorCode}`;
      // The standard's parameters, then those of its drafts, which Chrome had first.
      for (const parameters of [
        [message, { source: "stream", streamErrorCode }],
        [{ message, streamErrorCode }],
      ]) {
        const error = construct(errorClass, parameters);
        if (streamErrorCodeOf(error) === streamErrorCode) return error;
      }
      return Object.assign(new Error(message), { streamErrorCode });
    },
    codeOf: streamErrorCodeOf,
  };
}

function construct(errorClass: ErrorConstructor | undefined, parameters: unknown[]): unknown {
  try {
    return errorClass === undefined ? undefined : new errorClass(...parameters);
  } catch {
    return undefined;
  }
}

function streamErrorCodeOf(error: unknown): number | undefined {
  if (typeof error !== "object" || error === null) return undefined;
  if ("source" in error && error.source === "session") return undefined;
  if (hasCode(error)) return error.streamErrorCode;
  if ("source" in error && error.source === "stream") return UNKNOWN_CODE;
  // Chromium's error where the pipe to its network process breaks before the STOP_SENDING is told: the code is lost.
  return "name" in error && error.name === "NetworkError" ? UNKNOWN_CODE : undefined;
}

function hasCode(error: object): error is { streamErrorCode: number } {
  return "streamErrorCode" in error && typeof error.streamErrorCode === "number";
}
