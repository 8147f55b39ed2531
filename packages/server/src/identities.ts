import type { SessionLimits } from "@sluice/protocol";

/** Who a client is by its token, and what it may do. */
export interface Identity {
  /** Stands in the log; no secret. */
  readonly name: string;
  /** Sessions that it may have at once. Default: no bound of its own. */
  readonly maxSessions?: number;
  /** What each of its sessions may do; the server's own limits hold where they are stricter. */
  readonly limits?: Partial<SessionLimits>;
}

/** Whether the client with this token may come in, and as whom. `true`: as nobody in particular. */
export type Authorize = (token: Uint8Array) => boolean | Identity;

/** The sessions of each identity. */
export interface Identities {
  /** Counts a session in. @returns who it is, or `undefined` where it may not come in */
  enter(token: Uint8Array): Identity | undefined;
  /** A session that was let in has ended. */
  leave(identity: Identity): void;
}

const anybody: Identity = { name: "" };

export function createIdentities(authorize: Authorize): Identities {
  const sessions = new Map<string, number>();
  return {
    enter(token) {
      const answer = authorize(token);
      if (answer === false) return undefined;
      const identity = answer === true ? anybody : answer;
      const open = sessions.get(identity.name) ?? 0;
      if (open >= (identity.maxSessions ?? Number.POSITIVE_INFINITY)) return undefined;
      sessions.set(identity.name, open + 1);
      return identity;
    },
    leave({ name }) {
      const open = sessions.get(name) ?? 0;
      if (open > 1) sessions.set(name, open - 1);
      else sessions.delete(name);
    },
  };
}

/** The stricter of two sets of limits, one by one; 0 is no limit. */
export function strictest(limits: SessionLimits, own: Partial<SessionLimits> = {}): SessionLimits {
  const strict = { ...limits };
  for (const [name, value] of Object.entries(own) as [keyof SessionLimits, number][]) {
    if (value > 0 && (strict[name] === 0 || value < strict[name])) strict[name] = value;
  }
  return strict;
}
