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
import { createClientPath } from "./client-path.js";
import { type ClientStream, createClientStreams } from "./client-streams.js";
import { createControlLane } from "./control-lane.js";
import { type ControlMessage, createControlDecoder, type OutgoingControl } from "./control-message.js";
import { decodeDatagram } from "./datagram.js";
import { ErrorCode, errorCodeName, ProtocolError } from "./error-code.js";
import { frameBudgetBytes, frameGate, type GateInput } from "./frame-gate.js";
import { createFrameLedger, type ExpiryReason } from "./frame-ledger.js";
import {
  handshakeTimeoutMs,
  maxFrameNumber,
  maxHelloEntries,
  maxTokenBytes,
  peerSilenceMs,
  protocolVersion,
} from "./limits.js";
import { createLossyLane } from "./lossy-lane.js";
import { bytesOf } from "./send-buffer.js";
import { createSliceSender } from "./slice-sender.js";
import { encodeTensor, maxSlicePayloadBytes } from "./tensor-framing.js";
import { openStreamToWire } from "./tensor-stream.js";
import { limitsFromWire } from "./wire-limits.js";

/** How long a reliable frame may take before it counts as lost. */
const reliablePatienceMs = 30_000;

export function createClientSession(options: ClientSessionOptions, startMs: number): ClientSession {
  const control = createControlLane();
  const decodeChunk = createControlDecoder();
  const ledger = createFrameLedger();
  const path = createClientPath();
  const announced = createAnnouncedLimits();
  const streams = createClientStreams();
  const slices = createSliceSender(path, streams.get);
  const events: ClientEvent[] = [];
  const tensors: StreamTensor[] = [];
  const lossy = createLossyLane();
  const acknowledgements = createAcknowledgements();
  let state: ClientSession["state"] = "connecting";
  let capabilities: readonly string[] = [];
  let maxDatagramBytes = 0;
  let heardMs = startMs;
  let bytesSent = 0;
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
    slices.forget(stream, frame);
    if (!entry) return;
    if (isLateness(reason)) streams.get(stream)?.margin.add(false);
    events.push({ type: "expired", frame: entry, reason });
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
        const stream = streams.answered(message.body.stream);
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
        if (!streams.answered(stream)) return;
        streams.delete(stream);
        slices.drop(stream);
        events.push({ type: "stream-rejected", stream, code, reason });
        return;
      }
      case "limits":
        announced.set(limitsFromWire(message.body));
        return;
      case "feedback":
        path.handleFeedback(message.body, nowMs);
        slices.handleReport(message.body, nowMs);
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
      case "pong":
        path.handlePong(message.body.id, nowMs);
        return;
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

  function gateInput(stream: ClientStream, capturedMs: number, nowMs: number): GateInput {
    const { deadlineMs, mode } = stream.options;
    return {
      ...{ nowMs, capturedMs, deadlineMs: mode === "reliable" ? Number.POSITIVE_INFINITY : deadlineMs },
      ...{ clientLatencyMs: stream.clientLatencyMs, serverLatencyMs: stream.serverLatencyMs },
      ...{ marginShare: stream.margin.share, expectedBytes: stream.payloadBytes + stream.parityBytes },
      ...path.gateInput(slices.bytes, nowMs),
      serverFreeAtMs: announced.freeAtMs(),
      ...{ framesInFlight: ledger.inFlight, maxFramesInFlight: announced.current?.maxFramesInFlight ?? 0 },
    };
  }

  function handleResult(result: sluice.v1.Result, nowMs: number): void {
    const { stream, frame } = result;
    acknowledgements.add(stream, frame, nowMs);
    const entry = ledger.find(stream, frame);
    const streamState = streams.get(stream);
    slices.forget(stream, frame);
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
      streamState?.margin.add(onTime);
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
      path.expire(nowMs);
      for (const frame of slices.shed(nowMs, maxDatagramBytes)) {
        expire(frame.stream, frame.frame, frame.expiresAtMs <= nowMs ? "send-queue" : "send-buffer");
      }
      slices.repair(nowMs);
      for (let late = ledger.overdue(nowMs); late; late = ledger.overdue(nowMs)) {
        expire(late.stream, late.frame, "no-result");
      }
      if (acknowledgements.nextTimeoutMs() <= nowMs) {
        for (const body of acknowledgements.take()) pushLossy({ kind: "resultAck", body });
      }
      const id = state === "connecting" ? undefined : path.takePing(nowMs);
      if (id !== undefined) pushLossy({ kind: "ping", body: { id } });
    },

    setMaxDatagramBytes(bytes) {
      maxDatagramBytes = bytes;
    },
    maxPayloadBytes: (stream) => maxSlicePayloadBytes(maxDatagramBytes - slices.reserveBytes(stream)),

    openStream(streamOptions) {
      const alias = streams.takeAlias();
      // spec 2.4
      const draining = { code: ErrorCode.shutdown, reason: "the server takes nothing new" };
      const refusal = state === "draining" ? draining : streams.refusal(streamOptions, announced);
      if (refusal) {
        events.push({ type: "stream-rejected", stream: alias, ...refusal });
        return alias;
      }
      streams.open(alias, streamOptions);
      slices.open(alias, streamOptions.fec);
      say({ kind: "open", body: openStreamToWire(alias, streamOptions) });
      return alias;
    },

    closeStream(alias) {
      if (!streams.delete(alias)) return;
      for (const frame of slices.drop(alias)) expire(frame.stream, frame.frame, "abandoned");
      if (state !== "closed") say({ kind: "close", body: { stream: alias } });
    },

    offer(alias, capturedMs, nowMs) {
      const stream = streams.get(alias);
      // spec 5.3: numbers do not wrap.
      if (state !== "open" || !stream?.accepted || stream.nextFrame > maxFrameNumber) {
        ledger.drop("not-open");
        return { admitted: false, reason: "not-open" };
      }
      path.adapt(nowMs);
      const input = gateInput(stream, capturedMs, nowMs);
      const reason = frameGate(input);
      if (reason) {
        ledger.drop(reason);
        if (reason === "bandwidth" || reason === "deadline") path.heldBack(nowMs);
        return { admitted: false, reason };
      }
      announced.frameStarted(nowMs);
      path.charge(input.expectedBytes, nowMs);
      const frame = stream.nextFrame++;
      const { deadlineMs, mode } = stream.options;
      // A late result is still worth knowing; after twice the deadline it is not waited for.
      const patienceMs =
        mode === "reliable" ? reliablePatienceMs : Math.max(2 * deadlineMs, deadlineMs + 2 * path.rttMs);
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
      const share = input.expectedBytes === 0 ? 1 : stream.payloadBytes / input.expectedBytes;
      return { admitted: true, frame, budgetBytes: Math.floor(frameBudgetBytes(input) * share) };
    },

    submit(alias, frame, cut, split, nowMs) {
      const stream = streams.get(alias);
      const entry = ledger.find(alias, frame);
      if (!stream || !entry) return false;
      entry.payloadBytes = bytesOf(cut);
      stream.clientLatencyMs = smooth(stream.clientLatencyMs, nowMs - entry.admittedMs);
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
        bytesSent += bytes.length;
        const resetAtMs = mode === "reliable" ? Number.POSITIVE_INFINITY : capturedMs + deadlineMs;
        tensors.push({ stream: alias, frame, bytes, resetAtMs });
        return true;
      }
      // What leaves later than this cannot come back in time.
      const expiresAtMs = capturedMs + deadlineMs - (path.minRttMs ?? 0) - stream.serverLatencyMs;
      const { urgency } = stream.options;
      const outgoing = { stream: alias, frame, capturedMs, expiresAtMs, slices: cut, split, urgency };
      if (!slices.push(outgoing, nowMs)) expire(alias, frame, "send-buffer");
      return true;
    },

    nextFrame: (alias) => streams.get(alias)?.nextFrame,

    abandon: (stream, frame) => expire(stream, frame, "abandoned"),

    pollControl: () => (state === "closed" ? undefined : control.poll()),

    pollDatagram(nowMs) {
      if (state === "closed" || state === "connecting" || maxDatagramBytes === 0) return undefined;
      slices.repair(nowMs);
      const maySendSlices = slices.maySend(nowMs);
      if (lossy.isEmpty && !maySendSlices) return undefined;
      const datagram = new Uint8Array(maxDatagramBytes);
      let end = lossy.fill(datagram, 0, maxDatagramBytes);
      if (maySendSlices) end = slices.fill(datagram, end, nowMs);
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
      return Math.min(
        slices.nextTimeoutMs(maxDatagramBytes),
        ledger.nextTimeoutMs(),
        acknowledgements.nextTimeoutMs(),
        path.nextPingMs(),
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
        ...path.figures,
        ...{ slicesRepeated: slices.slicesRepeated, unreceivedBytes: path.unreceivedBytes + slices.bytes },
        ...{ bytesSent, bytesDelivered, datagramsSent, repairsSent: slices.repairsSent },
      };
    },
  };
}

/** The gate would have turned the frame away had it known. */
function isLateness(reason: ExpiryReason): boolean {
  return reason === "send-queue" || reason === "server-expired" || reason === "no-result";
}

function smooth(previous: number, sample: number): number {
  return previous === 0 ? sample : previous + (sample - previous) / 8;
}
