/**
 * A client that outlives its sessions (spec 2.7): when one ends without its wish it waits, opens another and in it the
 * application's tensor streams again. A session that drains finishes its frames while the next one begins. One that is silent
 * goes on, and another is tried beside it: of the two the first stays if it answers, else the second takes its place.
 */
import { ErrorCode, type PathEstimate, type SessionLimits } from "@sluice/protocol";
import { createSystemClock, type Session } from "@sluice/transport/core";
import { createAttempts, type Opened } from "./attempts.js";
import { createClient } from "./client.js";
import type { Client, ClientOptions, OpenStreamOptions, SessionEnd, TensorStream } from "./client-api.js";
import { ClientError } from "./client-error.js";
import { type ConnectionFailure, describeEnd, describeFailure } from "./connection-failure.js";
import { createReconnectPolicy, type ReconnectPolicyOptions } from "./reconnect-policy.js";
import { createResumedStream, isRejection, type ResumedStream } from "./resumed-stream.js";
import { createRival } from "./rival.js";
import { planStream } from "./stream-plan.js";
import { countNotOpen, type ReconnectingFigures, sumFigures } from "./sum-figures.js";

export interface ReconnectingClientOptions
  extends Omit<ClientOptions, "onDrain" | "onSilence">,
    Omit<ReconnectPolicyOptions, "random"> {
  /** Opens a transport session; called for every attempt. A rejection is a failed attempt: it must end by itself. */
  readonly connect: () => Promise<Session>;
  /** Uniform in 0 up to 1. Default: the host's own. */
  readonly random?: () => number;
  /** Told of every change of the connection's state. */
  readonly onState?: (state: ConnectionState) => void;
  /** A stream could not be opened again and is closed: the server of the new session refuses it. */
  readonly onStreamLost?: (stream: TensorStream, error: ClientError) => void;
  /** Closes the client when it aborts. */
  readonly signal?: AbortSignal;
}

export type ConnectionState =
  /** `attempt` counts from 1 since the last session that was stable. */
  | { readonly status: "connecting"; readonly attempt: number }
  /** `isNew`: in another session than before; false where one that was silent is heard again. */
  | { readonly status: "open"; readonly isNew: boolean }
  /**
   * Nothing has been heard of the session for `silenceMs`. It goes on, and comes back to `open` where it is heard again; meanwhile so
   * many other ones were tried beside it, one of which takes its place where the path works and this one does not answer.
   * `cause`: why there is none yet.
   */
  | { readonly status: "silent"; readonly attempts: number; readonly cause: ConnectionFailure }
  | { readonly status: "waiting"; readonly delayMs: number; readonly cause: ConnectionFailure }
  | { readonly status: "closed"; readonly code: number; readonly reason: string };

export interface ReconnectingClient {
  /** Opens a stream that goes on from session to session; waits for a session where there is none. */
  openStream(options: OpenStreamOptions): Promise<TensorStream>;
  readonly state: ConnectionState;
  /** Of the present session. */
  readonly limits: SessionLimits | undefined;
  readonly capabilities: readonly string[];
  /** Counts over all sessions, and estimates of the present one. */
  figures(): ReconnectingFigures;
  /** Of the path of the present session; `undefined` while there is none. */
  pathEstimate(): PathEstimate | undefined;
  /** Resolves when no frame is in flight in any session. */
  idle(): Promise<void>;
  /**
   * Leaves the present session for another one, as where the application knows better than the transport: the network has
   * changed, or UDP may get through again. What is in flight ends in the session that it was sent in.
   */
  renew(reason?: string): void;
  close(code?: number, reason?: string): void;
  /** Settles once, never rejects: closed by the application, or given up. */
  readonly closed: Promise<SessionEnd>;
}

/** Sessions that drain while the next ones are in use; the oldest of more is closed. */
const maxRetired = 4;
/**
 * What a silent session has to answer in once another one is open: its pings are half a second apart at most, and so many
 * times what the other one took to open are its round trips.
 */
const minGraceMs = 600;
const graceOpenings = 3;

/**
 * Connects and resolves with the first session.
 * @throws ClientError or what `connect` throws, where the first attempt fails: from the start something is wrong
 */
export async function createReconnectingClient(
  options: ReconnectingClientOptions,
): Promise<ReconnectingClient> {
  const clock = options.clock ?? createSystemClock(globalThis);
  const policy = createReconnectPolicy({ ...options, random: options.random ?? Math.random });
  const streams = new Set<ResumedStream>();
  const retired = new Set<Client>();
  let state: ConnectionState = { status: "connecting", attempt: 1 };
  let current: Client | undefined;
  let ended = countNotOpen(0);
  let sessions = 0;
  const silences = { begun: 0, outlasted: 0, attempts: 0 };
  let waiters: (() => void)[] = [];
  let finish: (end: SessionEnd) => void = () => {};
  const closed = new Promise<SessionEnd>((resolve) => {
    finish = resolve;
  });

  const attempts = createAttempts({
    ...{ clock, policy, connect: options.connect },
    open(session) {
      let client: Client | undefined;
      const opening = createClient(session, {
        ...options,
        ...{ clock, onDrain: (drain) => client && retire(client, drain) },
        onSilence: (isSilent) => client && handleSilence(client, isSilent),
      });
      return opening.then((opened) => {
        client = opened;
        return opened;
      });
    },
    onWaiting(delayMs, cause) {
      if (!current) setState({ status: "waiting", delayMs, cause });
      else setState({ status: "silent", attempts: silences.attempts, cause });
    },
    onAttempt() {
      if (current) silences.attempts++;
      else if (!isClosed()) setState({ status: "connecting", attempt: policy.attempts + 1 });
      if (isClosed()) throw closedError();
    },
    onOpened: handleOpened,
    onGivenUp(cause) {
      // What is silent may still be heard again. Once it has ended, the next attempt decides.
      if (!current) close(cause.code, cause.reason);
      else setState({ status: "silent", attempts: silences.attempts, cause });
    },
  });
  const rival = createRival(clock, {
    onGrace: takeOver,
    onEnd: (cause) => attempts.start(cause),
  });

  const isClosed = () => state.status === "closed";

  function setState(next: ConnectionState): void {
    state = next;
    options.onState?.(next);
    if (next.status !== "open" && next.status !== "closed") return;
    const woken = waiters;
    waiters = [];
    for (const wake of woken) wake();
  }

  function adopt(client: Client): void {
    current = client;
    sessions++;
    policy.opened(clock.now());
    void client.closed.then((end) => handleEnd(client, end));
    for (const stream of streams) void resume(stream, client);
    setState({ status: "open", isNew: true });
    // It may have begun before the session was ours.
    if (client.draining) retire(client, { code: ErrorCode.shutdown, reason: "the server takes nothing new" });
  }

  async function resume(stream: ResumedStream, client: Client): Promise<void> {
    try {
      await stream.openIn(client, () => client === current);
    } catch (error) {
      // The end of the session is told by the session; the next one tries again.
      if (!isRejection(error) || client !== current) return;
      stream.facade.close();
      options.onStreamLost?.(stream.facade, error);
    }
  }

  /** The server takes nothing new: its session finishes what is in flight, and another one begins. */
  function retire(client: Client, drain: SessionEnd): void {
    if (client !== current) return;
    current = undefined;
    retired.add(client);
    if (retired.size > maxRetired) retired.values().next().value?.close();
    goOn(describeEnd(drain.code, drain.reason));
  }

  function renew(reason = "another session was asked for"): void {
    const client = current;
    if (client === undefined) return;
    retire(client, { code: ErrorCode.none, reason });
    void client.idle().then(() => client.close(ErrorCode.none, reason));
  }

  function handleEnd(client: Client, end: SessionEnd): void {
    retired.delete(client);
    ended = sumFigures([ended, client.figures()]);
    for (const stream of streams) stream.forget(client);
    if (client !== current) return;
    current = undefined;
    goOn(describeEnd(end.code, end.reason));
  }

  /** There is no present session any more. What was begun beside it while it was silent takes its place. */
  function goOn(cause: ConnectionFailure): void {
    if (isClosed()) return;
    const next = rival.take();
    if (next) adopt(next);
    else if (!attempts.isRunning) attempts.start(cause);
    else if (!attempts.wait) setState({ status: "connecting", attempt: policy.attempts + 1 });
    else setState({ status: "waiting", delayMs: attempts.wait.untilMs - clock.now(), cause });
  }

  /** spec 2.7: another session is tried beside one that is silent. */
  function handleSilence(client: Client, isSilent: boolean): void {
    if (client !== current) return;
    if (isSilent) {
      silences.begun++;
      silences.attempts = 0;
      attempts.start({ code: ErrorCode.peerSilent, reason: "nothing is heard of the server", again: true });
      return;
    }
    silences.outlasted++;
    attempts.stop();
    rival.drop();
    policy.opened(clock.now());
    setState({ status: "open", isNew: false });
  }

  function handleOpened({ client, openMs }: Opened): void {
    if (current) rival.hold(client, Math.max(minGraceMs, graceOpenings * openMs));
    else adopt(client);
  }

  /** The path works, and the silent session has not answered on it. */
  function takeOver(client: Client): void {
    const silent = current;
    current = undefined;
    if (silent) {
      retired.add(silent);
      silent.close(ErrorCode.peerSilent, "another session was opened while nothing was heard of this one");
    }
    adopt(client);
  }

  function close(code: number = ErrorCode.none, reason = ""): void {
    if (isClosed()) return;
    attempts.stop(code, reason);
    rival.drop(code, reason);
    for (const client of [...retired, ...(current ? [current] : [])]) client.close(code, reason);
    setState({ status: "closed", code, reason });
    options.signal?.removeEventListener("abort", abort);
    finish({ code, reason });
  }

  function closedError(): ClientError {
    const { code, reason } = state.status === "closed" ? state : { code: 0, reason: "" };
    return new ClientError("session-closed", code, reason || "the client is closed");
  }

  const abort = () => close(ErrorCode.none, "aborted");
  options.signal?.addEventListener("abort", abort);
  if (options.signal?.aborted) abort();

  try {
    const { client } = await attempts.once();
    adopt(client);
  } catch (error) {
    if (isClosed()) throw closedError();
    const { code, reason } = describeFailure(error);
    close(code, reason);
    throw error;
  }

  return {
    async openStream(streamOptions) {
      // What is wrong with the options is said at once, session or not.
      await planStream(streamOptions, true);
      for (;;) {
        if (isClosed()) throw closedError();
        const client = current;
        if (!client) {
          await new Promise<void>((resolve) => waiters.push(resolve));
          continue;
        }
        try {
          const onNotOpen = () => {
            ended = sumFigures([countNotOpen(1), ended]);
          };
          const onClose = (stream: ResumedStream) => void streams.delete(stream);
          const stream = await createResumedStream(client, streamOptions, onNotOpen, onClose);
          streams.add(stream);
          // The session may have ended, or begun to drain, while its answer was on the way.
          if (client !== current) {
            if (!retired.has(client)) stream.forget(client);
            if (current) void resume(stream, current);
          }
          return stream.facade;
        } catch (error) {
          if (isRejection(error) ? error.code !== ErrorCode.shutdown : !(error instanceof ClientError)) {
            throw error;
          }
          // A session that ended or drains refuses everything. Its events come before it is asked again.
          if (client === current) await client.closed;
          await Promise.resolve();
        }
      }
    },
    get state() {
      return state;
    },
    get limits() {
      return current?.limits;
    },
    get capabilities() {
      return current?.capabilities ?? [];
    },
    figures() {
      const live = [...retired, ...(current ? [current] : [])].map((client) => client.figures());
      const { begun, outlasted } = silences;
      return {
        ...sumFigures([ended, ...live] as [typeof ended]),
        ...{ sessions, silences: begun, silencesOutlasted: outlasted },
      };
    },
    pathEstimate: () => current?.pathEstimate(),
    renew,
    async idle() {
      await Promise.all([...retired, ...(current ? [current] : [])].map((client) => client.idle()));
    },
    close,
    closed,
  };
}
