/**
 * The client's side of a session, without I/O: input goes in by `handle...`, output comes out by `poll...`, and time
 * is an argument of both. A driver calls every `poll` until it has nothing after each input, and again at
 * {@link ClientSession.nextTimeoutMs}.
 */
import type { sluice } from "@sluice/proto";
import { createAcknowledgements } from "./acknowledgements.js";
import { createAnnouncedLimits } from "./announced-limits.js";
import { commonCapabilities } from "./capabilities.js";
import type { ClientEvent, ClientSession, ClientSessionOptions, StreamTensor } from "./client-api.js";
import { createControlLane } from "./control-lane.js";
import { type ControlMessage, createControlDecoder, type OutgoingControl } from "./control-message.js";
import { decodeDatagram } from "./datagram.js";
import { ErrorCode, errorCodeName, ProtocolError } from "./error-code.js";
import { createParityLane, type EndedFrame } from "./fec/parity-lane.js";
import { latestParityMs, mayRetransmit } from "./fec/retransmission-estimate.js";
import { frameBudgetBytes, frameGate, type GateInput } from "./frame-gate.js";
import { createFrameLedger, type ExpiryReason } from "./frame-ledger.js";
import {
  handshakeTimeoutMs,
  maxFrameNumber,
  maxHelloEntries,
  maxStreamAlias,
  maxTokenBytes,
  peerSilenceMs,
  protocolVersion,
} from "./limits.js";
import { createLossyLane } from "./lossy-lane.js";
import { createPacer } from "./pacer.js";
import { createPathEstimator } from "./path-estimator.js";
import { createPinger } from "./pinger.js";
import { createRateBudget } from "./rate-budget.js";
import { createRepairer } from "./repairer.js";
import { createRttEstimator } from "./rtt-estimator.js";
import { createSendBuffer, type OutgoingFrame, type OutgoingSlice } from "./send-buffer.js";
import { encodeTensor, maxSlicePayloadBytes } from "./tensor-framing.js";
import { openStreamToWire, type TensorStreamOptions } from "./tensor-stream.js";
import { limitsFromWire } from "./wire-limits.js";

interface StreamState {
  readonly options: TensorStreamOptions;
  accepted: boolean;
  /** Bytes of the slices of one frame. */
  maxFrameBytes: number;
  nextFrame: number;
  /** Smoothed expectations for the gate. */
  clientLatencyMs: number;
  serverLatencyMs: number;
  payloadBytes: number;
  /** Bytes of the repair symbols of one frame. */
  parityBytes: number;
}

/** Before the path is known: fast enough for one frame, slow enough for small buffers on the way. */
const initialBitsPerSecond = 20_000_000;
/** Below this rate a frame's datagrams leave in one burst anyway. */
const minPacingBitsPerSecond = 5_000_000;
/** Sending a little faster than the estimate is how a faster path is found. */
const pacingGain = 1.1;
/** Until pings have come back. */
const assumedRttMs = 50;
/** Pings are quick for so long after the path was the limit: they tell how much of the queue never drains. */
const hurryMs = 1_000;
/** How long a reliable frame may take before it counts as lost. */
const reliablePatienceMs = 30_000;

export function createClientSession(options: ClientSessionOptions, startMs: number): ClientSession {
  const control = createControlLane();
  const decodeChunk = createControlDecoder();
  const ledger = createFrameLedger();
  const sendBuffer = createSendBuffer();
  const path = createPathEstimator();
  const rtt = createRttEstimator();
  const pinger = createPinger();
  const pacer = createPacer(initialBitsPerSecond);
  const announced = createAnnouncedLimits();
  const budget = createRateBudget();
  const repairer = createRepairer();
  /** What is sent again goes first: it has waited for a round trip. */
  const repairs = createSendBuffer();
  const parity = createParityLane();
  /** While the path is dark nothing is sent again: a sign of life wakes the repairs, not their timer. */
  let holdsRepairs = false;
  const streams = new Map<number, StreamState>();
  const events: ClientEvent[] = [];
  const tensors: StreamTensor[] = [];
  const lossy = createLossyLane();
  const acknowledgements = createAcknowledgements();
  let state: ClientSession["state"] = "connecting";
  let capabilities: readonly string[] = [];
  let maxDatagramBytes = 0;
  let heardMs = startMs;
  let nextAlias = 1;
  let nextSequence = 0;
  let bytesSent = 0;
  /** When the gate last turned a frame away for the path's sake. */
  let heldBackMs = Number.NEGATIVE_INFINITY;
  let bytesDelivered = 0;
  let datagramsSent = 0;

  const offered = options.capabilities ?? [];
  if (offered.length > maxHelloEntries || (options.token?.length ?? 0) > maxTokenBytes) {
    throw new RangeError(
      `capabilities or token: at most ${maxHelloEntries} names and ${maxTokenBytes} bytes are allowed`,
    );
  }
  say({
    kind: "hello",
    body: {
      versions: [protocolVersion],
      capabilities: [...offered],
      agent: options.agent,
      ...(options.token ? { token: options.token } : {}),
    },
  });

  const rttMs = () => rtt.smoothedMs ?? assumedRttMs;
  const minRttMs = () => rtt.minMs ?? assumedRttMs;
  const patience = () => ({ rttMs: rttMs(), rttVariationMs: rtt.variationMs });
  const unreceivedBytes = () => path.unreceivedBytes + sendBuffer.bytes + repairs.bytes + parity.bytes;
  const slicesWait = () => sendBuffer.bytes + repairs.bytes > 0;
  const slicesReadyAtMs = () =>
    Math.max(pacer.readyAtMs(), slicesWait() ? Number.NEGATIVE_INFINITY : parity.readyAtMs(false));

  const mayAddSlices = () => path.unreceivedBytes < path.windowBytes(minRttMs());

  /** A message for the control stream. A peer that does not read it loses the session, not our memory. */
  function say(message: OutgoingControl): void {
    if (!control.push(message)) close(ErrorCode.overloaded, "control stream: the peer does not read it");
  }

  function close(code: number, reason: string): void {
    if (state === "closed") return;
    state = "closed";
    for (const frame of [...ledger.open()]) expire(frame.stream, frame.frame, "closed");
    events.push({ type: "closed", code, reason });
  }

  /** Runs a step on input from the peer; what breaks a rule ends the session and nothing else. */
  function guarded(step: () => void): void {
    if (state === "closed") return;
    try {
      step();
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      close(error.code, error.message);
    }
  }

  function expire(stream: number, frame: number, reason: ExpiryReason): void {
    const entry = ledger.expire(stream, frame, reason);
    repairer.forget(stream, frame);
    parity.forget(stream, frame);
    if (entry) events.push({ type: "expired", frame: entry, reason });
  }

  /** A message that may be lost: in a datagram where there are any, else on the control stream. */
  function pushLossy(message: OutgoingControl): void {
    if (maxDatagramBytes > 0) lossy.push(message);
    else say(message);
  }

  function handleMessage(message: ControlMessage, nowMs: number): void {
    // spec 2.2: welcome comes first, and once.
    if (state === "connecting" && message.kind !== "welcome" && message.kind !== "error") {
      throw new ProtocolError(ErrorCode.protocolViolation, `${message.kind} before welcome`);
    }
    switch (message.kind) {
      case "welcome": {
        if (state !== "connecting") throw new ProtocolError(ErrorCode.protocolViolation, "a second welcome");
        const { version, agent } = message.body;
        if (version !== protocolVersion) {
          throw new ProtocolError(ErrorCode.unsupportedVersion, `the server chose version ${version}`);
        }
        state = "open";
        const limits = limitsFromWire(message.body.limits);
        announced.set(limits);
        // spec 4.2: what was not offered is not agreed on.
        capabilities = commonCapabilities(offered, message.body.capabilities);
        events.push({ type: "open", limits, agent, capabilities });
        return;
      }
      case "accept": {
        const stream = streamOf(message.body.stream);
        if (!stream) return;
        stream.accepted = true;
        // spec 4.4: sizes hold as they were announced when the stream was accepted.
        stream.maxFrameBytes = announced.current?.maxTensorBytes || Number.POSITIVE_INFINITY;
        const { concealment } = message.body;
        events.push({ type: "stream-accepted", stream: message.body.stream, concealment });
        return;
      }
      case "reject": {
        const { stream, code, reason } = message.body;
        if (!streamOf(stream)) return;
        streams.delete(stream);
        parity.close(stream);
        events.push({ type: "stream-rejected", stream, code, reason });
        return;
      }
      case "limits":
        announced.set(limitsFromWire(message.body));
        return;
      case "feedback":
        path.handleFeedback(message.body, minRttMs(), nowMs);
        repairer.handleReport(message.body, nowMs);
        parity.handleReport(message.body);
        adaptRates(nowMs);
        return;
      case "result":
        handleResult(message.body, nowMs);
        return;
      case "drain": {
        state = "draining";
        const { code, reason, timeoutMs } = message.body;
        events.push({ type: "drain", code, reason, timeoutMs });
        return;
      }
      case "error":
        close(message.body.code, message.body.reason || errorCodeName(message.body.code));
        return;
      case "ping":
        pushLossy({ kind: "pong", body: { id: message.body.id } });
        return;
      case "pong": {
        const sample = pinger.handlePong(message.body.id, nowMs);
        if (sample !== undefined) {
          rtt.add(sample, nowMs);
          path.handlePong(sample, minRttMs(), nowMs);
        }
        return;
      }
      // spec 4.1: these are the client's own.
      case "hello":
      case "open":
      case "close":
      case "resultAck":
        throw new ProtocolError(ErrorCode.protocolViolation, `${message.kind} from a server`);
      default:
        message satisfies never;
    }
  }

  /** Why a stream is not even asked for. */
  function refusalOf(streamOptions: TensorStreamOptions): { code: number; reason: string } | undefined {
    // spec 2.4
    if (state === "draining") return { code: ErrorCode.shutdown, reason: "the server takes nothing new" };
    let accepted = 0;
    for (const stream of streams.values()) if (stream.accepted) accepted++;
    return announced.refusal(streamOptions, accepted);
  }

  /** `undefined`: it was closed while the server's answer was on its way. */
  function streamOf(alias: number): StreamState | undefined {
    const stream = streams.get(alias);
    // spec 4.3
    if (!stream && (alias < 1 || alias >= nextAlias))
      throw new ProtocolError(ErrorCode.unknownStream, `stream ${alias} was never opened`);
    return stream;
  }

  function adaptRates(nowMs: number): void {
    const { bandwidthBitsPerSecond, rateBitsPerSecond } = path;
    if (bandwidthBitsPerSecond !== undefined) {
      pacer.setRate(Math.max(minPacingBitsPerSecond, bandwidthBitsPerSecond * pacingGain));
    }
    if (rateBitsPerSecond !== undefined) budget.setRate(rateBitsPerSecond, nowMs);
  }

  /** Puts the lost slices that are worth it in front of everything else. */
  function repair(nowMs: number): void {
    holdsRepairs = path.isDark(minRttMs(), nowMs);
    if (holdsRepairs) return;
    for (let lost = repairer.poll(patience(), nowMs); lost; lost = repairer.poll(patience(), nowMs)) {
      if (repairs.push(lost)) budget.charge(bytesOf(lost.slices), nowMs);
    }
  }

  function gateInput(stream: StreamState, capturedMs: number, nowMs: number): GateInput {
    const { deadlineMs, mode } = stream.options;
    return {
      ...{ nowMs, capturedMs, deadlineMs: mode === "reliable" ? Number.POSITIVE_INFINITY : deadlineMs },
      ...{ clientLatencyMs: stream.clientLatencyMs, serverLatencyMs: stream.serverLatencyMs },
      // The smallest round trip is the path without a queue; what queues is counted from the bytes.
      ...{
        rttMs: minRttMs(),
        serverFreeAtMs: announced.freeAtMs(),
        isPathDark: path.isDark(minRttMs(), nowMs),
      },
      ...{ unreceivedBytes: unreceivedBytes(), bandwidthBitsPerSecond: path.bandwidthBitsPerSecond },
      ...{ isEstimateStale: path.isStale(nowMs), windowBytes: path.windowBytes(minRttMs()) },
      ...{
        rateWaitMs: budget.waitMs(nowMs),
        queueMs: path.queueMs(nowMs),
        expectedBytes: stream.payloadBytes + stream.parityBytes,
      },
      ...{ framesInFlight: ledger.inFlight, maxFramesInFlight: announced.current?.maxFramesInFlight ?? 0 },
    };
  }

  /** What the way of a frame's answer looks like from here. */
  function answerPath(frame: OutgoingFrame, stream: StreamState, nowMs: number) {
    const { serverLatencyMs, options } = stream;
    const { capturedMs } = frame;
    const queueMs = path.queueMs(nowMs);
    return { capturedMs, deadlineMs: options.deadlineMs, ...patience(), serverLatencyMs, queueMs };
  }

  /** Puts slices of the first that has any into a datagram: what is sent again, repair symbols, then the rest. */
  function fillSlices(datagram: Uint8Array, offset: number, nowMs: number): number {
    const sequence = nextSequence;
    const slices: { readonly frame: OutgoingFrame; readonly slice: OutgoingSlice }[] = [];
    const ended: EndedFrame[] = [];
    const isParity = repairs.bytes === 0 && parity.readyAtMs(slicesWait()) <= nowMs;
    const from = repairs.bytes > 0 ? repairs : isParity ? parity : sendBuffer;
    const end = from.fill(datagram, offset, maxDatagramBytes, sequence, nowMs, (frame, slice, isLast) => {
      if (isParity) return;
      const stream = streams.get(frame.stream);
      const minReceived = (stream?.options.minReceivedPercent ?? 0) / 100;
      // spec 5.9: either is sent again what is lost, or repair symbols make up for it.
      const isProtected = parity.protects(frame.stream) && frame.isRetransmitted !== true;
      repairer.sent(sequence, frame, slice, isProtected ? 0 : minReceived, nowMs);
      if (from !== sendBuffer) return;
      slices.push({ frame, slice });
      if (isLast && stream) ended.push({ frame, latestMs: latestParityMs(answerPath(frame, stream, nowMs)) });
    });
    if (end === offset) return end;
    path.sent(nextSequence++, end, nowMs);
    pacer.sent(end, nowMs);
    if (slices.some(({ frame }) => parity.protects(frame.stream))) {
      const sent = { sequence, bytes: datagram.subarray(0, end), slices };
      chargeParity(ended, parity.sent(sent, ended, { nowMs, bitsPerSecond: pacer.bitsPerSecond }), nowMs);
    }
    return end;
  }

  function chargeParity(ended: readonly EndedFrame[], made: readonly OutgoingFrame[], nowMs: number): void {
    for (const { slices } of made) budget.charge(bytesOf(slices), nowMs);
    for (const { frame } of ended) {
      const stream = streams.get(frame.stream);
      if (!stream || !parity.protects(frame.stream)) continue;
      const bytes = made
        .filter((each) => each.stream === frame.stream)
        .reduce((sum, { slices }) => sum + bytesOf(slices), 0);
      stream.parityBytes += (bytes - stream.parityBytes) / 8;
    }
  }

  function handleResult(result: sluice.v1.Result, nowMs: number): void {
    const { stream, frame } = result;
    acknowledgements.add(stream, frame, nowMs);
    const entry = ledger.find(stream, frame);
    const streamState = streams.get(stream);
    repairer.forget(stream, frame);
    if (!entry) return;
    if (streamState && result.stages) {
      const { decode = 0, conceal = 0, queue = 0, inference = 0 } = result.stages as sluice.v1.StageTimes;
      streamState.serverLatencyMs = smooth(
        streamState.serverLatencyMs,
        (decode + conceal + queue + inference) / 100,
      );
    }
    const outcome: number = result.outcome;
    if (outcome === 1) {
      const latencyMs = nowMs - entry.capturedMs;
      const onTime = latencyMs <= entry.deadlineMs;
      ledger.deliver(stream, frame, onTime);
      bytesDelivered += entry.payloadBytes;
      events.push({ type: "delivered", frame: entry, result, latencyMs, onTime });
    } else {
      expire(stream, frame, outcome === 2 ? "server-expired" : outcome === 3 ? "undecodable" : "failed");
    }
  }

  return {
    handleControl: (chunk, nowMs) =>
      guarded(() => {
        heardMs = nowMs;
        for (const message of decodeChunk(chunk)) {
          if (state !== "closed") handleMessage(message, nowMs);
        }
      }),

    handleDatagram: (datagram, nowMs) =>
      guarded(() => {
        const { slices, controls } = decodeDatagram(datagram);
        // spec 5.1: only clients send tensors.
        if (slices.length > 0) throw new ProtocolError(ErrorCode.protocolViolation, "a slice from a server");
        // Datagrams may overtake the welcome on the control stream.
        if (state === "connecting") return;
        heardMs = nowMs;
        for (const message of controls) handleMessage(message, nowMs);
      }),

    handleClosed: close,
    // spec 2.5
    handleControlEnd: () => close(ErrorCode.none, "the control stream ended"),

    handleTimeout(nowMs) {
      if (state === "closed") return;
      if (state === "connecting" && nowMs >= startMs + handshakeTimeoutMs) {
        close(ErrorCode.handshakeTimeout, `no welcome within ${handshakeTimeoutMs} ms`);
        return;
      }
      if (state !== "connecting" && nowMs >= heardMs + peerSilenceMs) {
        // spec 5.7
        close(ErrorCode.peerSilent, `nothing was heard of the server for ${peerSilenceMs} ms`);
        return;
      }
      path.expire(rttMs(), nowMs);
      for (const frame of sendBuffer.shed(nowMs, maxDatagramBytes)) {
        expire(frame.stream, frame.frame, frame.expiresAtMs <= nowMs ? "send-queue" : "send-buffer");
      }
      for (const frame of repairs.shed(nowMs, maxDatagramBytes)) repairer.forget(frame.stream, frame.frame);
      parity.shed(nowMs, maxDatagramBytes);
      chargeParity([], parity.poll({ nowMs, bitsPerSecond: pacer.bitsPerSecond }), nowMs);
      repair(nowMs);
      for (let late = ledger.overdue(nowMs); late; late = ledger.overdue(nowMs)) {
        expire(late.stream, late.frame, "no-result");
      }
      if (acknowledgements.nextTimeoutMs() <= nowMs) {
        for (const body of acknowledgements.take()) pushLossy({ kind: "resultAck", body });
      }
      if (state !== "connecting" && pinger.nextTimeoutMs() <= nowMs) {
        const isHurried = path.isDark(minRttMs(), nowMs) || nowMs - heldBackMs < hurryMs;
        pushLossy({ kind: "ping", body: { id: pinger.take(nowMs, isHurried) } });
      }
    },

    setMaxDatagramBytes(bytes) {
      maxDatagramBytes = bytes;
    },
    maxPayloadBytes: (stream) => maxSlicePayloadBytes(maxDatagramBytes - parity.reserveBytes(stream)),

    openStream(streamOptions) {
      if (nextAlias > maxStreamAlias)
        throw new RangeError(`a session has at most ${maxStreamAlias} tensor streams`);
      const alias = nextAlias++;
      const refusal = refusalOf(streamOptions);
      if (refusal) {
        events.push({ type: "stream-rejected", stream: alias, ...refusal });
        return alias;
      }
      streams.set(alias, {
        ...{ options: streamOptions, accepted: false, nextFrame: streamOptions.firstFrame, maxFrameBytes: 0 },
        ...{ clientLatencyMs: 0, serverLatencyMs: 0, payloadBytes: 0, parityBytes: 0 },
      });
      parity.open(alias, streamOptions.fec);
      say({ kind: "open", body: openStreamToWire(alias, streamOptions) });
      return alias;
    },

    closeStream(alias) {
      if (!streams.delete(alias)) return;
      parity.close(alias);
      for (const frame of sendBuffer.drop(alias)) expire(frame.stream, frame.frame, "abandoned");
      if (state !== "closed") say({ kind: "close", body: { stream: alias } });
    },

    offer(alias, capturedMs, nowMs) {
      const stream = streams.get(alias);
      // spec 5.3: numbers do not wrap.
      if (state !== "open" || !stream?.accepted || stream.nextFrame > maxFrameNumber) {
        ledger.drop("not-open");
        return { admitted: false, reason: "not-open" };
      }
      path.adaptRate(minRttMs(), nowMs);
      adaptRates(nowMs);
      const input = gateInput(stream, capturedMs, nowMs);
      const reason = frameGate(input);
      if (reason) {
        ledger.drop(reason);
        if (reason === "bandwidth" || reason === "deadline") heldBackMs = nowMs;
        return { admitted: false, reason };
      }
      announced.frameStarted(nowMs);
      budget.charge(input.expectedBytes, nowMs);
      const frame = stream.nextFrame++;
      const { deadlineMs, mode } = stream.options;
      // A late result is still worth knowing; after twice the deadline it is not waited for.
      const patienceMs =
        mode === "reliable" ? reliablePatienceMs : Math.max(2 * deadlineMs, deadlineMs + 2 * rttMs());
      const givenUpAtMs = capturedMs + patienceMs;
      ledger.admit({
        stream: alias,
        frame,
        capturedMs,
        admittedMs: nowMs,
        deadlineMs,
        givenUpAtMs,
        expectedBytes: input.expectedBytes,
        payloadBytes: 0,
      });
      // What repair symbols will take is not the encoder's.
      const share = stream.payloadBytes === 0 ? 1 : stream.payloadBytes / input.expectedBytes;
      return { admitted: true, frame, budgetBytes: Math.floor(frameBudgetBytes(input) * share) };
    },

    submit(alias, frame, slices, split, nowMs) {
      const stream = streams.get(alias);
      const entry = ledger.find(alias, frame);
      if (!stream || !entry) return false;
      entry.payloadBytes = bytesOf(slices);
      stream.clientLatencyMs = smooth(stream.clientLatencyMs, nowMs - entry.admittedMs);
      stream.payloadBytes = smooth(stream.payloadBytes, entry.payloadBytes);
      // spec 4.4: the server would end the session.
      if (entry.payloadBytes > stream.maxFrameBytes) {
        budget.charge(-entry.expectedBytes, nowMs);
        expire(alias, frame, "too-large");
        return true;
      }
      budget.charge(entry.payloadBytes - entry.expectedBytes, nowMs);
      announced.bytesStarted(entry.payloadBytes, nowMs);
      const { capturedMs } = entry;
      const { mode, deadlineMs } = stream.options;
      if (mode !== "datagram") {
        const bytes = encodeTensor(alias, frame, slices, Math.max(0, Math.round(nowMs - capturedMs)));
        bytesSent += bytes.length;
        const resetAtMs = mode === "reliable" ? Number.POSITIVE_INFINITY : capturedMs + deadlineMs;
        tensors.push({ stream: alias, frame, bytes, resetAtMs });
        return true;
      }
      // What leaves later than this cannot come back in time.
      const expiresAtMs = capturedMs + deadlineMs - (rtt.minMs ?? 0) - stream.serverLatencyMs;
      const { urgency, minReceivedPercent } = stream.options;
      const outgoing = {
        ...{ stream: alias, frame, capturedMs, expiresAtMs, slices, split, urgency },
        reserveBytes: parity.reserveBytes(alias),
      };
      const leavesMs = nowMs + ((unreceivedBytes() + entry.payloadBytes) * 8_000) / pacer.bitsPerSecond;
      const isRetransmitted =
        minReceivedPercent > 0 && mayRetransmit({ ...answerPath(outgoing, stream, nowMs), nowMs: leavesMs });
      if (!sendBuffer.push({ ...outgoing, isRetransmitted })) expire(alias, frame, "send-buffer");
      return true;
    },

    nextFrame: (alias) => streams.get(alias)?.nextFrame,

    abandon: (stream, frame) => expire(stream, frame, "abandoned"),

    pollControl: () => (state === "closed" ? undefined : control.poll()),

    pollDatagram(nowMs) {
      if (state === "closed" || state === "connecting" || maxDatagramBytes === 0) return undefined;
      repair(nowMs);
      const hasSlices = slicesWait() || parity.bytes > 0;
      const maySendSlices = hasSlices && slicesReadyAtMs() <= nowMs && mayAddSlices();
      if (lossy.isEmpty && !maySendSlices) return undefined;
      const datagram = new Uint8Array(maxDatagramBytes);
      let end = lossy.fill(datagram, 0, maxDatagramBytes);
      if (maySendSlices) end = fillSlices(datagram, end, nowMs);
      if (end === 0) return undefined;
      bytesSent += end;
      datagramsSent++;
      return datagram.subarray(0, end);
    },

    pollStream: () => tensors.shift(),
    pollEvent: () => events.shift(),

    nextTimeoutMs() {
      if (state === "closed") return Number.POSITIVE_INFINITY;
      if (state === "connecting") return startMs + handshakeTimeoutMs;
      const hasSlices = (slicesWait() || parity.bytes > 0) && maxDatagramBytes > 0;
      const slicesMs = !hasSlices
        ? Number.POSITIVE_INFINITY
        : mayAddSlices()
          ? slicesReadyAtMs()
          : path.nextExpiryMs(rttMs());
      return Math.min(
        ...[
          slicesMs,
          sendBuffer.nextTimeoutMs(),
          repairs.nextTimeoutMs(),
          parity.nextTimeoutMs(),
          holdsRepairs ? Number.POSITIVE_INFINITY : repairer.nextTimeoutMs(patience()),
          ledger.nextTimeoutMs(),
          acknowledgements.nextTimeoutMs(),
          pinger.nextTimeoutMs(),
        ],
      );
    },

    get state() {
      return state;
    },
    get limits() {
      return announced.current;
    },
    get capabilities() {
      return capabilities;
    },
    get figures() {
      return {
        ...ledger.counts,
        inFlight: ledger.inFlight,
        ...{ rttMs: rtt.smoothedMs, bandwidthBitsPerSecond: path.bandwidthBitsPerSecond },
        ...{ rateBitsPerSecond: path.rateBitsPerSecond, slicesRepeated: repairer.slicesRepeated },
        repairsSent: parity.symbolsSent,
        ...{ lossShare: path.lossShare, meanLossRun: path.meanLossRun },
        ...{
          unreceivedBytes: unreceivedBytes(),
          bytesSent,
          bytesDelivered,
          datagramsSent,
        },
        ...{ datagramsLost: path.datagramsLost, lossRuns: path.lossRuns },
      };
    },
  };
}

function bytesOf(slices: readonly OutgoingSlice[]): number {
  return slices.reduce((sum, slice) => sum + slice.payload.length, 0);
}

function smooth(previous: number, sample: number): number {
  return previous === 0 ? sample : previous + (sample - previous) / 8;
}
