/**
 * The thin loop between a transport session and a protocol core: it moves bytes and wakes the core when it asks to
 * be woken. It holds no protocol state.
 */
import { type BidirectionalStream, type Session, StreamError } from "./session.js";

/** What the loop needs of a protocol core; both sides' cores in `@sluice/protocol` have this form. */
export interface ProtocolCore {
  handleControl(chunk: Uint8Array, nowMs: number): void;
  handleDatagram(datagram: Uint8Array, nowMs: number): void;
  handleClosed(code: number, reason: string): void;
  /** The control stream has ended, by either half, while the session goes on. */
  handleControlEnd(): void;
  handleTimeout(nowMs: number): void;
  setMaxDatagramBytes(bytes: number): void;
  pollControl(): Uint8Array | undefined;
  /** The bytes are valid until the next call. */
  pollDatagram(nowMs: number): Uint8Array | undefined;
  nextTimeoutMs(): number;
}

/** Time, as the loop sees it. */
export interface Clock {
  /** Milliseconds since any fixed moment; never goes back. */
  now(): number;
  /** Runs `call` once after `delayMs`; returns what {@link Clock.cancel} takes. */
  schedule(delayMs: number, call: () => void): unknown;
  cancel(timer: unknown): void;
}

export interface SessionDriver {
  /** Moves everything that can move now. To be called after every call into the core. */
  pump(): void;
  /** The core has closed the session: tells the peer and stops. */
  close(code: number, reason: string): void;
  /** Datagrams that the transport did not take, by its reason. */
  readonly dropped: { readonly queueFull: number; readonly tooBig: number };
}

export interface SessionDriverOptions {
  readonly session: Session;
  readonly core: ProtocolCore;
  readonly control: BidirectionalStream;
  readonly clock: Clock;
  /** Called in every round to take events and tensors out of the core; true while something was taken. */
  readonly onProgress: () => boolean;
  /** Datagrams have come; without `read` being called they are lost. Default: they are read at once. */
  readonly onDatagrams?: (batch: readonly Uint8Array[], read: () => void) => void;
}

/** A timer that is so late means that input may wait unread; the core must see it before it judges by time. */
const stallMs = 4;
/** How much too early a timer is at least before it is put off, and how long it was not. */
const worthMovingMs = 4;
const moveIntervalMs = 8;
/** Streams end with their session: its close, whose code says more, may be right behind. */
const controlEndGraceMs = 250;
/** Rounds of one pump; a core that always has more must not starve the rest of the process. */
const maxRounds = 1_000;

export function createSessionDriver(options: SessionDriverOptions): SessionDriver {
  const { session, core, control, clock, onProgress } = options;
  const dropped = { queueFull: 0, tooBig: 0 };
  let timer: unknown;
  /** When the timer wakes; Infinity where there is none. */
  let timerAtMs = Number.POSITIVE_INFINITY;
  let putOffMs = Number.NEGATIVE_INFINITY;
  let writing = false;
  let controlEnd: unknown;
  let stopped = false;
  let pumping = false;

  session.onDatagrams((batch) => {
    const read = () => {
      for (const datagram of batch) core.handleDatagram(datagram, clock.now());
      pump();
    };
    if (options.onDatagrams) options.onDatagrams(batch, read);
    else read();
  });
  // What waits is cut anew where it no longer fits, and grows where more does.
  session.onMaxDatagramBytes(() => pump());
  void readControl();
  void session.closed.then(({ code, reason }) => {
    core.handleClosed(code, reason);
    pump();
    stop();
  });

  async function readControl(): Promise<void> {
    try {
      for (let chunk = await control.receive.read(); chunk; chunk = await control.receive.read()) {
        core.handleControl(chunk, clock.now());
        pump();
      }
      handleControlEnd();
    } catch (error) {
      handleControlFault(error);
    }
  }

  /** The end of the session fails its streams too; `closed` tells about it. */
  function handleControlFault(error: unknown): void {
    if (!(error instanceof StreamError && error.kind === "closed")) handleControlEnd();
  }

  /** spec 2.5: without its control stream a session is over. */
  function handleControlEnd(): void {
    if (stopped || controlEnd !== undefined) return;
    controlEnd = clock.schedule(controlEndGraceMs, () => {
      if (stopped) return;
      core.handleControlEnd();
      pump();
    });
  }

  async function writeControl(first: Uint8Array): Promise<void> {
    writing = true;
    try {
      for (let bytes: Uint8Array | undefined = first; bytes; bytes = core.pollControl())
        await control.send.write(bytes);
    } catch (error) {
      handleControlFault(error);
    }
    writing = false;
  }

  function sendDatagrams(): void {
    core.setMaxDatagramBytes(session.maxDatagramBytes);
    for (let datagram = core.pollDatagram(clock.now()); datagram; datagram = core.pollDatagram(clock.now())) {
      const outcome = session.sendDatagram(datagram);
      if (outcome === "queue-full") dropped.queueFull++;
      if (outcome === "too-big") {
        dropped.tooBig++;
        core.setMaxDatagramBytes(session.maxDatagramBytes);
      }
      if (outcome === "closed") return;
    }
  }

  function pump(): void {
    // The application may call in from a callback of this very pump; the rounds below see to it.
    if (stopped || pumping) return;
    pumping = true;
    for (let round = 0; round < maxRounds; round++) {
      sendDatagrams();
      const control = writing ? undefined : core.pollControl();
      if (control) void writeControl(control);
      if (!onProgress()) break;
    }
    pumping = false;
    arm();
  }

  /**
   * A timer that is early enough stays: putting it off with every frame of a fast stream would cost more than a look for nothing.
   * A look wakes a thread that would sleep, which costs a slow stream more: so one that is much too early is put off now and then.
   */
  function arm(): void {
    if (stopped) return;
    const atMs = core.nextTimeoutMs();
    if (atMs === timerAtMs) return;
    const earlyMs = atMs - timerAtMs;
    if (earlyMs >= 0 && earlyMs < worthMovingMs) return;
    const nowMs = clock.now();
    if (earlyMs >= 0) {
      if (nowMs - putOffMs < moveIntervalMs) return;
      putOffMs = nowMs;
    }
    if (timer !== undefined) clock.cancel(timer);
    timer = undefined;
    timerAtMs = atMs;
    if (atMs < Number.POSITIVE_INFINITY) timer = clock.schedule(Math.max(0, atMs - nowMs), () => wake(false));
  }

  function wake(isSecondLook: boolean): void {
    timer = undefined;
    if (!isSecondLook && clock.now() - timerAtMs > stallMs) {
      timer = clock.schedule(0, () => wake(true));
      return;
    }
    timerAtMs = Number.POSITIVE_INFINITY;
    const nowMs = clock.now();
    if (core.nextTimeoutMs() > nowMs) {
      arm();
      return;
    }
    core.handleTimeout(nowMs);
    pump();
  }

  function stop(): void {
    stopped = true;
    if (timer !== undefined) clock.cancel(timer);
    timer = undefined;
    if (controlEnd !== undefined) clock.cancel(controlEnd);
  }

  return {
    pump,
    close(code, reason) {
      stop();
      session.close(code, reason);
    },
    dropped,
  };
}
