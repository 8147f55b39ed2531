import { type Certificate, createCertificate } from "../certificate.js";
import type { Log } from "../engine.js";
import type { CertificateSource } from "./certificate-source.js";
import { planRenewal } from "./plan-renewal.js";
import type { ServedCertificate } from "./served-certificate.js";

/** The wall clock and its timers; a test's are virtual. */
export interface WallClock {
  /** Unix time in milliseconds. */
  nowMs(): number;
  schedule(delayMs: number, call: () => void): unknown;
  cancel(timer: unknown): void;
}

export const systemWallClock: WallClock = {
  nowMs: () => Date.now(),
  // A server is kept alive by its sockets, not by its certificate.
  schedule: (delayMs, call) => setTimeout(call, delayMs).unref(),
  cancel: (timer) => clearTimeout(timer as NodeJS.Timeout),
};

/** How certificates are made. */
export interface SelfMadeOptions {
  readonly hosts: readonly string[];
  /** Validity of each, more than 0 and at most 14 days. */
  readonly days?: number;
  readonly log: Log;
  readonly clock?: WallClock;
}

/** A machine that was asleep, or whose clock was set, is noticed after an hour at most. */
const LONGEST_WAIT_MS = 3_600_000;
/** After a failure. */
const AGAIN_MS = 60_000;

/** Makes a certificate, and new ones in time. */
export class SelfMadeCertificates implements CertificateSource {
  current: ServedCertificate;
  next: ServedCertificate | undefined;
  previous: ServedCertificate | undefined;
  readonly #clock: WallClock;
  #handlers: ((certificate: ServedCertificate) => void)[] = [];
  #timer: unknown;
  #isClosed = false;

  private constructor(
    readonly options: SelfMadeOptions,
    first: ServedCertificate,
  ) {
    this.#clock = options.clock ?? systemWallClock;
    this.current = first;
    this.#plan();
  }

  static async create(options: SelfMadeOptions): Promise<SelfMadeCertificates> {
    return new SelfMadeCertificates(options, await make(options));
  }

  onChange(handler: (certificate: ServedCertificate) => void): void {
    this.#handlers.push(handler);
  }

  /** There is nothing to read again: renewal has its own time. */
  async reload(): Promise<void> {}

  close(): void {
    this.#isClosed = true;
    if (this.#timer !== undefined) this.#clock.cancel(this.#timer);
  }

  #wait(delayMs: number): void {
    if (this.#isClosed) return;
    this.#timer = this.#clock.schedule(Math.min(delayMs, LONGEST_WAIT_MS), () => this.#plan());
  }

  #plan(): void {
    const { log } = this.options;
    for (;;) {
      const step = planRenewal(this.current, this.next, this.#clock.nowMs());
      if (step.type === "wait") {
        this.#wait(step.untilMs - this.#clock.nowMs());
        return;
      }
      if (step.type === "prepare") {
        make(this.options).then(
          (made) => {
            this.next = made;
            log("info", "the next certificate is made", {
              hash: made.hash,
              notAfter: made.notAfter.toISOString(),
            });
            if (!this.#isClosed) this.#plan();
          },
          (error: unknown) => {
            log("error", "the next certificate could not be made", { error: String(error) });
            this.#wait(AGAIN_MS);
          },
        );
        return;
      }
      if (this.next === undefined) return;
      this.previous = this.current;
      this.current = this.next;
      this.next = undefined;
      log("info", "new connections get the next certificate", { hash: this.current.hash });
      for (const handler of this.#handlers) handler(this.current);
    }
  }
}

function make({ hosts, days, clock = systemWallClock }: SelfMadeOptions): Promise<Certificate> {
  return createCertificate({ hosts, now: new Date(clock.nowMs()), ...(days === undefined ? {} : { days }) });
}
