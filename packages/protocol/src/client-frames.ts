/** The frames of a client: from the gate over the way to the sender to their one end (spec 3.2, 3.3, 7). */
import type { sluice } from "@sluice/proto";
import type { AnnouncedLimits } from "./announced-limits.js";
import type { ClientSession, OfferDecision, StreamTensor } from "./client-api.js";
import type { ClientEvent } from "./client-event.js";
import type { ClientPath } from "./client-path.js";
import type { ClientStream, ClientStreams } from "./client-streams.js";
import { frameBudgetBytes, frameGate, type GateInput } from "./frame-gate.js";
import {
  createFrameLedger,
  type DropReason,
  type ExpiryReason,
  type LedgerCounts,
  type LedgerFrame,
} from "./frame-ledger.js";
import { smooth } from "./frame-times.js";
import { maxFrameNumber } from "./limits.js";
import { bytesOf } from "./send-buffer.js";
import type { SessionObserver } from "./session-event.js";
import type { SliceSender } from "./slice-sender.js";
import { encodeTensor } from "./tensor-framing.js";

export interface ClientFrames {
  /** See {@link ClientSession.offer}; `isOpen`: new frames are allowed. */
  offer(alias: number, capturedMs: number, isOpen: boolean, nowMs: number): OfferDecision;
  readonly submit: ClientSession["submit"];
  /** Its first slice has left the send buffer. */
  left(frame: Pick<LedgerFrame, "stream" | "frame">, nowMs: number): void;
  /** `receiveMs`: how long it took to come, from its first bytes to its last. */
  handleResult(result: sluice.v1.Result, receiveMs: number, nowMs: number): void;
  /** How large a payload its result may bring on a stream of its own; `undefined` where none is waited for. */
  maxResultBytes(stream: number, frame: number): number | undefined;
  expire(stream: number, frame: number, reason: ExpiryReason): void;
  expireAll(reason: ExpiryReason): void;
  /** Gives up what is not waited for any longer. */
  expireOverdue(nowMs: number): void;
  nextTimeoutMs(): number;
  /** The next tensor for a stream of its own. */
  pollTensor(): StreamTensor | undefined;
  readonly figures: FrameFigures;
}

export interface FrameFigures extends LedgerCounts {
  readonly inFlight: number;
  /** Bytes of tensors on streams of their own. */
  readonly bytesOnStreams: number;
  readonly bytesDelivered: number;
}

/** How long a reliable frame may take before it counts as lost. */
const reliablePatienceMs = 30_000;

export function createClientFrames(
  { path, slices, streams, announced, observe }: ClientFrameParts,
  onEvent: (event: ClientEvent) => void,
): ClientFrames {
  const ledger = createFrameLedger();
  const tensors: StreamTensor[] = [];
  let bytesOnStreams = 0;
  let bytesDelivered = 0;

  function drop(stream: number, reason: DropReason): OfferDecision {
    ledger.drop(reason);
    observe?.({ name: "frame_dropped", stream, reason });
    return { admitted: false, reason };
  }

  /** `result`: the server's, where it has answered. */
  function expire(stream: number, frame: number, reason: ExpiryReason, result?: sluice.v1.Result): void {
    const entry = ledger.expire(stream, frame, reason);
    slices.forget(stream, frame);
    if (!entry) return;
    if (isLateness(reason)) learn(streams.get(stream), false);
    onEvent({ type: "expired", frame: entry, reason, result });
  }

  function gateInput(stream: ClientStream, capturedMs: number, nowMs: number): GateInput {
    const { deadlineMs, mode } = stream.options;
    const known = path.gateInput(slices.bytes, nowMs);
    // Made for every frame: field by field, for a spread costs more than the gate's decision.
    return {
      rttMs: known.rttMs,
      isPathDark: known.isPathDark,
      isEstimateStale: known.isEstimateStale,
      unreceivedBytes: known.unreceivedBytes,
      windowBytes: known.windowBytes,
      openingBytes: known.openingBytes,
      bandwidthBitsPerSecond: known.bandwidthBitsPerSecond,
      rateWaitMs: known.rateWaitMs,
      queueMs: known.queueMs,
      nowMs,
      capturedMs,
      deadlineMs: mode === "reliable" ? Number.POSITIVE_INFINITY : deadlineMs,
      clientLatencyMs: stream.times.clientMs,
      serverLatencyMs: stream.times.serverMs,
      marginShare: stream.margin.share,
      expectedBytes: stream.payloadBytes + stream.parityBytes,
      serverFreeAtMs: announced.freeAtMs(),
      framesInFlight: ledger.inFlight,
      maxFramesInFlight: announced.current?.maxFramesInFlight ?? 0,
    };
  }

  /** An admitted frame has come to an end. */
  function learn(stream: ClientStream | undefined, onTime: boolean): void {
    stream?.margin.add(onTime);
    stream?.times.ended(onTime);
  }

  return {
    offer(alias, capturedMs, isOpen, nowMs) {
      const stream = streams.get(alias);
      // spec 5.3: numbers do not wrap.
      if (!isOpen || !stream?.accepted || stream.nextFrame > maxFrameNumber) {
        return drop(alias, "not-open");
      }
      path.use(nowMs);
      path.adapt(nowMs);
      const input = gateInput(stream, capturedMs, nowMs);
      const reason = frameGate(input);
      if (reason) {
        if (reason === "bandwidth" || reason === "deadline") path.heldBack(nowMs);
        if (reason === "deadline") stream.times.turnedAway(nowMs);
        return drop(alias, reason);
      }
      stream.times.admitted(nowMs);
      announced.frameStarted(nowMs);
      const { expectedBytes } = input;
      path.charge(expectedBytes, nowMs);
      const frame = stream.nextFrame++;
      const { deadlineMs, mode, maxResultBytes } = stream.options;
      // A late result is still worth knowing; after twice the deadline it is not waited for.
      const patienceMs =
        mode === "reliable" ? reliablePatienceMs : Math.max(2 * deadlineMs, deadlineMs + 2 * path.rttMs);
      const givenUpAtMs = capturedMs + patienceMs;
      const entry: LedgerFrame = {
        stream: alias,
        frame,
        capturedMs,
        admittedMs: nowMs,
        deadlineMs,
        givenUpAtMs,
        maxResultBytes,
        expectedBytes,
        payloadBytes: 0,
        submittedMs: nowMs,
        sendQueueMs: 0,
      };
      ledger.admit(entry);
      observe?.({ name: "frame_admitted", entry });
      // What repair symbols will take is not the encoder's.
      const share = expectedBytes === 0 ? 1 : stream.payloadBytes / expectedBytes;
      return { admitted: true, frame, budgetBytes: Math.floor(frameBudgetBytes(input) * share) };
    },

    submit(alias, frame, cut, split, nowMs) {
      const stream = streams.get(alias);
      const entry = ledger.find(alias, frame);
      if (!stream || !entry) return false;
      entry.payloadBytes = bytesOf(cut);
      entry.submittedMs = nowMs;
      stream.times.tookHere(nowMs - entry.admittedMs);
      stream.payloadBytes = smooth(stream.payloadBytes, entry.payloadBytes);
      // spec 4.4: the server would end the session.
      if (entry.payloadBytes > stream.maxFrameBytes) {
        path.charge(-entry.expectedBytes, nowMs);
        expire(alias, frame, "too-large");
        return true;
      }
      path.charge(entry.payloadBytes - entry.expectedBytes, nowMs);
      announced.bytesStarted(entry.payloadBytes, nowMs);
      const { capturedMs } = entry;
      const { mode, deadlineMs } = stream.options;
      if (mode !== "datagram") {
        const bytes = encodeTensor(alias, frame, cut, Math.max(0, Math.round(nowMs - capturedMs)));
        bytesOnStreams += bytes.length;
        const resetAtMs = mode === "reliable" ? Number.POSITIVE_INFINITY : capturedMs + deadlineMs;
        tensors.push({ stream: alias, frame, bytes, resetAtMs });
        return true;
      }
      path.submitted(entry.payloadBytes, nowMs);
      // What leaves later than this cannot come back in time.
      const expiresAtMs = capturedMs + deadlineMs - (path.minRttMs ?? 0) - stream.times.serverMs;
      const { urgency } = stream.options;
      const outgoing = { stream: alias, frame, capturedMs, expiresAtMs, slices: cut, split, urgency };
      if (!slices.push(outgoing, nowMs)) expire(alias, frame, "send-buffer");
      return true;
    },

    left({ stream, frame }, nowMs) {
      const entry = ledger.find(stream, frame);
      if (entry) entry.sendQueueMs = nowMs - entry.submittedMs;
    },

    maxResultBytes: (stream, frame) => ledger.find(stream, frame)?.maxResultBytes,

    handleResult(result, receiveMs, nowMs) {
      const { stream, frame } = result;
      const entry = ledger.find(stream, frame);
      const streamState = streams.get(stream);
      slices.forget(stream, frame);
      if (!entry) return;
      if (streamState && result.stages) {
        const { decode = 0, conceal = 0, queue = 0, inference = 0 } = result.stages as sluice.v1.StageTimes;
        // spec 3.3: a large result takes its time to come as well.
        streamState.times.tookThere((decode + conceal + queue + inference) / 100 + receiveMs);
      }
      const outcome: number = result.outcome;
      if (outcome === 1) {
        const latencyMs = nowMs - entry.capturedMs;
        const onTime = latencyMs <= entry.deadlineMs;
        ledger.deliver(stream, frame, onTime);
        learn(streamState, onTime);
        bytesDelivered += entry.payloadBytes;
        onEvent({ type: "delivered", frame: entry, result, latencyMs, onTime });
      } else {
        const reason = outcome === 2 ? "server-expired" : outcome === 3 ? "undecodable" : "failed";
        expire(stream, frame, reason, result);
      }
    },

    expire,
    expireAll(reason) {
      for (const frame of [...ledger.open()]) expire(frame.stream, frame.frame, reason);
    },
    expireOverdue(nowMs) {
      for (let late = ledger.overdue(nowMs); late; late = ledger.overdue(nowMs)) {
        expire(late.stream, late.frame, "no-result");
      }
    },
    nextTimeoutMs: () => ledger.nextTimeoutMs(),
    pollTensor: () => tensors.shift(),
    get figures() {
      return { ...ledger.counts, inFlight: ledger.inFlight, bytesOnStreams, bytesDelivered };
    },
  };
}

/** What frames pass through. */
export interface ClientFrameParts {
  readonly path: ClientPath;
  readonly slices: SliceSender;
  readonly streams: ClientStreams;
  readonly announced: AnnouncedLimits;
  readonly observe: SessionObserver | undefined;
}

/** The gate would have turned the frame away had it known. */
function isLateness(reason: ExpiryReason): boolean {
  return reason === "send-queue" || reason === "server-expired" || reason === "no-result";
}
