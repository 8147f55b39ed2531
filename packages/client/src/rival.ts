/** A session that was opened while the present one was silent: it waits whether that one answers (spec 2.7). */
import { ErrorCode } from "@sluice/protocol";
import type { Clock } from "@sluice/transport/core";
import type { Client } from "./client-api.js";
import { type ConnectionFailure, describeEnd } from "./connection-failure.js";

export interface Rival {
  /** `client` waits for so long. */
  hold(client: Client, graceMs: number): void;
  /** The one that waits, which waits no more. */
  take(): Client | undefined;
  /** Closes the one that waits. */
  drop(code?: number, reason?: string): void;
}

export interface RivalEvents {
  /** The grace is over. */
  readonly onGrace: (client: Client) => void;
  /** The one that waited has ended. */
  readonly onEnd: (cause: ConnectionFailure) => void;
}

export function createRival(clock: Clock, events: RivalEvents): Rival {
  let held: Client | undefined;
  let timer: unknown;

  function take(): Client | undefined {
    if (held) clock.cancel(timer);
    const client = held;
    held = undefined;
    return client;
  }

  return {
    hold(client, graceMs) {
      held = client;
      timer = clock.schedule(graceMs, () => {
        held = undefined;
        events.onGrace(client);
      });
      void client.closed.then(({ code, reason }) => {
        if (held === client && take()) events.onEnd(describeEnd(code, reason));
      });
    },
    take,
    drop(code = ErrorCode.none, reason = "the other session is heard again") {
      take()?.close(code, reason);
    },
  };
}
