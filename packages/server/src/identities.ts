import { giveWayMs, type SessionLimits } from "@sluice/protocol";

/** Who a client is by its token, and what it may do. */
export interface Identity {
  /** Stands in the log; no secret. */
  readonly name: string;
  /** Sessions that it may have at once; one that is silent gives way to a new one. Default: no bound of its own. */
  readonly maxSessions?: number;
  /** What each of its sessions may do; the server's own limits hold where they are stricter. */
  readonly limits?: Partial<SessionLimits>;
}

/** Whether the client with this token may come in, and as whom. `true`: as nobody in particular. */
export type Authorize = (token: Uint8Array) => boolean | Identity;

/** One session among those of its identity. */
export interface Occupant {
  /** For how long nothing was heard of its client. */
  silentMs(): number;
  /** Its place is another session's: it ends. */
  giveWay(): void;
}

/** The sessions of each identity. */
export interface Identities {
  /** Counts a session in. @returns who it is, or `undefined` where it may not come in */
  enter(token: Uint8Array, session: Occupant): Identity | undefined;
  /** A session that was let in has ended. */
  leave(identity: Identity, session: Occupant): void;
}

const anybody: Identity = { name: "" };

export function createIdentities(authorize: Authorize): Identities {
  const sessions = new Map<string, Set<Occupant>>();

  /** spec 5.7: whoever was silent for longest gives way. */
  function makeRoom(open: Set<Occupant>): boolean {
    let longest: Occupant | undefined;
    for (const session of open)
      if (session.silentMs() >= (longest?.silentMs() ?? giveWayMs)) longest = session;
    if (!longest) return false;
    open.delete(longest);
    longest.giveWay();
    return true;
  }

  return {
    enter(token, session) {
      const answer = authorize(token);
      if (answer === false) return undefined;
      const identity = answer === true ? anybody : answer;
      const open = sessions.get(identity.name) ?? new Set();
      const isFull = open.size >= (identity.maxSessions ?? Number.POSITIVE_INFINITY);
      if (isFull && !makeRoom(open)) return undefined;
      open.add(session);
      sessions.set(identity.name, open);
      return identity;
    },
    leave({ name }, session) {
      const open = sessions.get(name);
      open?.delete(session);
      if (open?.size === 0) sessions.delete(name);
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
