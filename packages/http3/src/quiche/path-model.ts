/**
 * Packets of the first round trip, spread over it. RFC 9002 7.2 recommends 10 for senders that may send them at once;
 * Chromium's QUIC has started with 32 for years. Tensors that come later than their deadline are of no use.
 */
const INITIAL_PACKETS = 32;
/** What the window holds beside the path's own content, so that delayed acknowledgements do not stop the sender. */
const SLACK_PACKETS = 6;
/** The bandwidth is the best of so many busy rounds, the round-trip time the least of so long. */
const BANDWIDTH_ROUNDS = 10;
const MIN_RTT_WINDOW_MS = 10_000;
/** Slower sending of this length lets the queue empty, so that the round-trip time can be measured again. */
const DRAIN_MS = 200;
/** Doubles the rate in each round trip while there is no queue, and holds it once the queue doubles the round trip. */
const GAIN = 2;
/** Of the first busy rounds, and of a sender that was never busy (2 / ln 2). */
const STARTUP_GAIN = 2.89;
const STARTUP_ROUNDS = 3;
const DRAIN_GAIN = 0.5;
/** A round that loses more is no random loss: the path has become slower. */
const COLLAPSE_LOSS = 0.25;
const COLLAPSE_PACKETS = 10;
/** After so much silence while sending, in round trips and milliseconds, only probes leave. */
const SILENT_ROUNDS = 1.5;
const SILENT_MS = 60;
const PROBE_PACKETS = 2;
/** So many round trips after a pause the engine's round-trip time is that of the pause still. */
const WARM_UP_ROUNDS = 2;

/** What the engine knows of its path at one time; counts are totals. */
export interface PathSample {
  readonly rttMs: number;
  readonly deliveryBytesPerMs: number;
  readonly packetsSent: number;
  readonly packetsLost: number;
  /** There is more to send than the pacer lets out. */
  readonly isHeldBack: boolean;
  readonly lastReceivedMs: number;
}

/**
 * How much may be on its way: twice the bandwidth-delay product after BBR (draft-cardwell-iccrg-bbr-congestion-
 * control-00, 4.1 to 4.3), measured from delivery rates and round-trip times, whatever is lost at random.
 *
 * quiche 0.18 has BBR as well, but it never leaves its loss recovery: after each lost packet its window is what was
 * in flight at that moment, and nothing restores it (4.2.3.4 of the draft does). A sender of bursts learns of its
 * losses when little is in flight, and starts its next burst with a few packets.
 */
export class PathModel {
  #bytesPerMs = 0;
  readonly #rounds: number[] = new Array<number>(BANDWIDTH_ROUNDS).fill(0);
  #round = 0;
  #roundEndMs = 0;
  #roundSent = 0;
  #roundLost = 0;
  #minRttMs = Number.POSITIVE_INFINITY;
  #minRttAtMs = 0;
  #drainUntilMs = 0;
  /** Since when the pacer holds packets back. */
  #busySinceMs: number | undefined;
  #isSilent = false;
  #pacedRttMs = Number.POSITIVE_INFINITY;

  constructor(readonly packetBytes: number) {}

  /** Infinity until the first update. */
  get minRttMs(): number {
    return this.#minRttMs;
  }

  /**
   * The round trip over which the window is to be spread. The engine's own reads several times too long where little
   * was sent (`config.ts`): what a pause has left of it would hold back the burst that ends the pause.
   */
  get pacedRttMs(): number {
    return this.#pacedRttMs;
  }

  get windowBytes(): number {
    if (this.#isSilent) return PROBE_PACKETS * this.packetBytes;
    const { packetBytes } = this;
    const isDraining = this.#drainUntilMs > 0;
    const bdpBytes = this.#bytesPerMs === 0 ? 0 : this.#bytesPerMs * this.#minRttMs;
    if (isDraining) return DRAIN_GAIN * bdpBytes + PROBE_PACKETS * packetBytes;
    const gain = this.#round < STARTUP_ROUNDS ? STARTUP_GAIN : GAIN;
    const windowBytes = gain * bdpBytes + SLACK_PACKETS * packetBytes;
    // Until the first busy round is over, rates say how little there was to send.
    return this.#round === 0 ? Math.max(INITIAL_PACKETS * packetBytes, windowBytes) : windowBytes;
  }

  update(nowMs: number, sample: PathSample): void {
    const rttMs = Math.max(1, sample.rttMs);
    if (!sample.isHeldBack) this.#busySinceMs = undefined;
    else this.#busySinceMs ??= nowMs;
    const busyMs = this.#busySinceMs === undefined ? 0 : nowMs - this.#busySinceMs;
    this.#isSilent =
      nowMs - Math.max(sample.lastReceivedMs, this.#busySinceMs ?? nowMs) > SILENT_ROUNDS * rttMs + SILENT_MS;
    this.#updateMinRtt(nowMs, rttMs, busyMs > 0);
    this.#pacedRttMs = busyMs < WARM_UP_ROUNDS * this.#minRttMs ? this.#minRttMs : rttMs;
    // A burst's delivery rate counts the round trip before its first acknowledgement in: it is a lower bound.
    const isBusy = busyMs >= 2 * rttMs && this.#drainUntilMs === 0;
    const rate = sample.deliveryBytesPerMs;
    const slot = this.#round % BANDWIDTH_ROUNDS;
    if (rate > this.#bytesPerMs || (isBusy && rate > (this.#rounds[slot] ?? 0))) this.#rounds[slot] = rate;
    if (nowMs >= this.#roundEndMs) this.#endRound(nowMs, rttMs, isBusy, sample);
    this.#bytesPerMs = Math.max(...this.#rounds);
  }

  #endRound(nowMs: number, rttMs: number, isBusy: boolean, sample: PathSample): void {
    const sent = sample.packetsSent - this.#roundSent;
    const lost = sample.packetsLost - this.#roundLost;
    this.#roundSent = sample.packetsSent;
    this.#roundLost = sample.packetsLost;
    this.#roundEndMs = nowMs + rttMs;
    if (lost >= COLLAPSE_PACKETS && lost > COLLAPSE_LOSS * (sent + lost)) {
      this.#rounds.fill(Math.min(this.#bytesPerMs, sample.deliveryBytesPerMs));
      return;
    }
    // Rounds without enough to send say nothing about the path, and take nothing away.
    if (!isBusy) return;
    this.#round += 1;
    this.#rounds[this.#round % BANDWIDTH_ROUNDS] = 0;
  }

  #updateMinRtt(nowMs: number, rttMs: number, isBusy: boolean): void {
    const isExpired = nowMs - this.#minRttAtMs > MIN_RTT_WINDOW_MS;
    if (rttMs <= this.#minRttMs) {
      this.#minRttMs = rttMs;
      this.#minRttAtMs = nowMs;
      this.#drainUntilMs = 0;
    } else if (this.#drainUntilMs > 0) {
      if (nowMs < this.#drainUntilMs && isBusy) return;
      this.#drainUntilMs = 0;
      this.#minRttMs = rttMs;
      this.#minRttAtMs = nowMs;
    } else if (isExpired) {
      if (isBusy) this.#drainUntilMs = nowMs + Math.max(DRAIN_MS, rttMs);
      else {
        this.#minRttMs = rttMs;
        this.#minRttAtMs = nowMs;
      }
    }
  }
}
