/** Tries to open a session, and waits longer and longer in between, until one is open (spec 2.7). */
import { ErrorCode } from "@sluice/protocol";
import type { Clock, Session } from "@sluice/transport/core";
import type { Client } from "./client-api.js";
import { ClientError } from "./client-error.js";
import { type ConnectionFailure, describeFailure } from "./connection-failure.js";
import type { ReconnectPolicy } from "./reconnect-policy.js";

export interface AttemptsOptions {
  readonly clock: Clock;
  readonly policy: ReconnectPolicy;
  readonly connect: () => Promise<Session>;
  /** Speaks Sluice on it. */
  readonly open: (session: Session) => Promise<Client>;
  readonly onWaiting: (delayMs: number, cause: ConnectionFailure) => void;
  /** An attempt begins; what it throws is the attempt's failure. */
  readonly onAttempt: () => void;
  /** There is a session, and no attempt follows. */
  readonly onOpened: (opened: Opened) => void;
  /** No attempt follows. */
  readonly onGivenUp: (cause: ConnectionFailure) => void;
}

export interface Opened {
  readonly client: Client;
  /** From the open transport to the server's welcome: a round trip and the server's work, in milliseconds. */
  readonly openMs: number;
}

export interface AttemptWait {
  readonly untilMs: number;
  readonly cause: ConnectionFailure;
}

export interface Attempts {
  /** One attempt at once, of which nobody is told but the caller. */
  once(): Promise<Opened>;
  /** Attempts, the first after a wait, until one succeeds or there is no point in it. */
  start(cause: ConnectionFailure): void;
  /** No attempt follows, and what the one under way opens is closed. */
  stop(code?: number, reason?: string): void;
  /** An attempt is under way, or waited for. */
  readonly isRunning: boolean;
  /** What is waited for. */
  readonly wait: AttemptWait | undefined;
}

const unwanted = () => new ClientError("session-closed", ErrorCode.none, "it is not wanted any more");

export function createAttempts(options: AttemptsOptions): Attempts {
  const { clock, policy } = options;
  /** What began before the last stop is of no use any more. */
  let round = 0;
  let isRunning = false;
  let timer: unknown;
  let wait: AttemptWait | undefined;
  let connecting: Session | undefined;

  async function once(): Promise<Opened> {
    const mine = round;
    options.onAttempt();
    const session = await options.connect();
    try {
      if (mine !== round) throw unwanted();
      connecting = session;
      const startMs = clock.now();
      const client = await options.open(session);
      if (mine !== round) throw unwanted();
      return { client, openMs: clock.now() - startMs };
    } catch (error) {
      session.close();
      throw error;
    } finally {
      if (connecting === session) connecting = undefined;
    }
  }

  function start(cause: ConnectionFailure): void {
    const delayMs = policy.ended(cause.again, clock.now());
    isRunning = delayMs !== undefined;
    if (delayMs === undefined) {
      options.onGivenUp(cause);
      return;
    }
    const mine = round;
    wait = { untilMs: clock.now() + delayMs, cause };
    timer = clock.schedule(delayMs, () => {
      wait = undefined;
      once().then(
        (opened) => {
          isRunning = false;
          options.onOpened(opened);
        },
        (error) => {
          if (mine === round) start(describeFailure(error));
        },
      );
    });
    options.onWaiting(delayMs, cause);
  }

  return {
    once,
    start,
    stop(code = ErrorCode.none, reason = "") {
      round++;
      isRunning = false;
      if (wait) clock.cancel(timer);
      wait = undefined;
      connecting?.close(code, reason);
    },
    get isRunning() {
      return isRunning;
    },
    get wait() {
      return wait;
    },
  };
}
