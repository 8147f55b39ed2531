import type { SessionRequest } from "@sluice/transport";
import type { RefusalReason } from "./admission/refusals.js";
import { checkRange } from "./check-range.js";
import type { Log } from "./engine.js";
import type { AllowsOrigin } from "./origin-list.js";

/** An answer of {@link Authorize}. */
export type Authorization = true | number;

/** Decides about a request: `true` accepts, a number of 400 to 599 is the HTTP status that refuses. */
export type Authorize = (request: SessionRequest) => Authorization | Promise<Authorization>;

/** How requests are decided about. */
export interface AuthorizeOptions {
  /** The only path that is served, without its query. */
  readonly path: string | undefined;
  /** Which pages may ask; requests without an origin come from no browser. */
  readonly allowsOrigin?: AllowsOrigin | undefined;
  readonly authorize: Authorize | undefined;
  /** How long `authorize` may take. */
  readonly timeoutMs: number;
  readonly log: Log;
  readonly onRefused: (reason: RefusalReason) => void;
}

/** Whoever is no browser writes what they like. */
const MAX_SHOWN_ORIGIN = 256;
const LATE = Symbol("late");

/** The HTTP status that answers `request`; 200 accepts. Never rejects, and settles within `timeoutMs`. */
export async function authorizeRequest(options: AuthorizeOptions, request: SessionRequest): Promise<number> {
  const { path, allowsOrigin, authorize, timeoutMs, log, onRefused } = options;
  if (path !== undefined && request.path.split("?", 1)[0] !== path) {
    onRefused("not-found");
    return 404;
  }
  // Not every engine tells headers; those that do not are not used with a list.
  const origin = allowsOrigin && request.headers.get("origin");
  if (origin !== undefined && !allowsOrigin?.(origin)) {
    const shown = origin.slice(0, MAX_SHOWN_ORIGIN);
    log("warn", "a page of an origin that is not allowed was refused", { origin: shown, path: request.path });
    onRefused("origin");
    return 403;
  }
  if (authorize === undefined) return 200;
  try {
    const answer = authorize(request);
    const settled = answer instanceof Promise ? await atMost(answer, timeoutMs) : answer;
    if (settled === LATE) {
      log("error", "authorize took too long; the session is refused", { path: request.path, timeoutMs });
      onRefused("authorize-timeout");
      return 503;
    }
    if (settled === true) return 200;
    const status = checkRange("the status from authorize", settled, 400, 599);
    onRefused("unauthorized");
    return status;
  } catch (error) {
    log("error", "authorize failed; the session is refused", { path: request.path, error: String(error) });
    onRefused("authorize-failed");
    return 500;
  }
}

async function atMost<T>(answer: Promise<T>, timeoutMs: number): Promise<T | typeof LATE> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<typeof LATE>((resolve) => {
    timer = setTimeout(() => resolve(LATE), timeoutMs);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}
