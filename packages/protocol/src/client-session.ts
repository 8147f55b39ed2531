/**
 * The client's side of a session, without I/O: input goes in by `handle...`, output comes out by `poll...`, and time
 * is an argument of both. A driver calls every `poll` until it has nothing after each input, and again at
 * {@link ClientSession.nextTimeoutMs}.
 */
import { createAcknowledgements } from "./acknowledgements.js";
import { createAnnouncedLimits } from "./announced-limits.js";
import { commonCapabilities } from "./capabilities.js";
import type { ClientSession, ClientSessionOptions } from "./client-api.js";
import type { ClientEvent } from "./client-event.js";
import { createClientFrames } from "./client-frames.js";
import { createClientPath } from "./client-path.js";
import { createClientStreams } from "./client-streams.js";
import { createControlLane } from "./control-lane.js";
import { type ControlMessage, createControlDecoder, type OutgoingControl } from "./control-message.js";
import { decodeDatagram } from "./datagram.js";
import { createDatagramDraft } from "./datagram-draft.js";
import { ErrorCode, errorCodeName, ProtocolError } from "./error-code.js";
import { createIncomingResults } from "./incoming-results.js";
import {
  handshakeTimeoutMs,
  maxHelloEntries,
  maxTokenBytes,
  peerSilenceMs,
  protocolVersion,
  silenceMs,
} from "./limits.js";
import { createLossyLane } from "./lossy-lane.js";
import { createSliceSender } from "./slice-sender.js";
import { maxSlicePayloadBytes } from "./tensor-framing.js";
import { openStreamToWire, resultFormatFromWire } from "./tensor-stream.js";
import { limitsFromWire } from "./wire-limits.js";

export function createClientSession(options: ClientSessionOptions, startMs: number): ClientSession {
  const control = createControlLane();
  const decodeChunk = createControlDecoder();
  const path = createClientPath();
  const announced = createAnnouncedLimits();
  const streams = createClientStreams();
  const { observe } = options;
  const slices = createSliceSender(path, streams.get, (frame, nowMs) => frames.left(frame, nowMs), observe);
  const events: ClientEvent[] = [];
  const frames = createClientFrames({ path, slices, streams, announced, observe }, tell);
  const results = createIncomingResults(frames.maxResultBytes);
  const lossy = createLossyLane();
  const draftOf = createDatagramDraft();
  const acknowledgements = createAcknowledgements();
  let state: ClientSession["state"] = "connecting";
  let capabilities: readonly string[] = [];
  let maxDatagramBytes = 0;
  let heardMs = startMs;
  let isSilent = false;
  let bytesInDatagrams = 0;
  let datagramsSent = 0;

  const silentAfterMs = options.silenceMs ?? silenceMs;
  if (!(silentAfterMs > 0)) throw new RangeError(`silenceMs must be more than 0, got ${silentAfterMs}`);
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

  function tell(event: ClientEvent): void {
    observe?.({ name: "event", event });
    events.push(event);
  }

  /** A message for the control stream. A peer that does not read it loses the session, not our memory. */
  function say(message: OutgoingControl): void {
    if (!control.push(message)) close(ErrorCode.overloaded, "control stream: the peer does not read it");
  }

  function close(code: number, reason: string): void {
    if (state === "closed") return;
    state = "closed";
    results.clear();
    frames.expireAll("closed");
    tell({ type: "closed", code, reason });
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

  /** A sign of life. */
  function hear(nowMs: number): void {
    heardMs = nowMs;
    if (!isSilent) return;
    isSilent = false;
    path.heardAgain(nowMs);
    tell({ type: "silence", isSilent });
  }

  /** A message that may be lost: in a datagram where there are any, else on the control stream. */
  function pushLossy(message: OutgoingControl): void {
    if (maxDatagramBytes > 0) lossy.push(message);
    else say(message);
  }

  function acknowledge(nowMs: number): void {
    for (const body of acknowledgements.take(nowMs)) pushLossy({ kind: "resultAck", body });
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
        tell({ type: "open", limits, agent, capabilities });
        return;
      }
      case "accept": {
        const stream = streams.answered(message.body.stream);
        if (!stream) return;
        stream.accepted = true;
        // spec 4.4: sizes hold as they were announced when the stream was accepted.
        stream.maxFrameBytes = announced.current?.maxTensorBytes || Number.POSITIVE_INFINITY;
        const { concealment, model } = message.body;
        const resultFormat = resultFormatFromWire(message.body.resultFormat);
        tell({
          ...{ type: "stream-accepted", stream: message.body.stream, concealment, resultFormat },
          ...{ model: model === "" ? stream.options.model : model, options: stream.options },
        });
        return;
      }
      case "reject": {
        const { stream, code, reason } = message.body;
        if (!streams.answered(stream)) return;
        streams.delete(stream);
        slices.drop(stream);
        tell({ type: "stream-rejected", stream, code, reason });
        return;
      }
      case "limits":
        announced.set(limitsFromWire(message.body));
        break;
      case "feedback":
        path.handleFeedback(message.body, nowMs);
        slices.handleReport(message.body, nowMs);
        break;
      case "result":
        acknowledgements.add(message.body.stream, message.body.frame, nowMs);
        frames.handleResult(message.body, 0, nowMs);
        return;
      case "drain": {
        state = "draining";
        const { code, reason, timeoutMs } = message.body;
        tell({ type: "drain", code, reason, timeoutMs });
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
        return;
    }
    observe?.({ name: "message", message, path: path.estimate(nowMs) });
  }

  return {
    handleControl: (chunk, nowMs) =>
      guarded(() => {
        hear(nowMs);
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
        hear(nowMs);
        for (const message of controls) handleMessage(message, nowMs);
      }),

    handleResultStream(id, chunk, nowMs) {
      let stopCode: number | undefined;
      guarded(() => {
        hear(nowMs);
        if (state === "connecting")
          throw new ProtocolError(ErrorCode.protocolViolation, "a result before welcome");
        stopCode = results.take(id, chunk, nowMs);
      });
      return state === "closed" ? ErrorCode.none : stopCode;
    },
    handleResultEnd: (id, isWhole, nowMs) =>
      guarded(() => {
        if (!isWhole) {
          results.drop(id);
          return;
        }
        const finished = results.finish(id, nowMs);
        if (!finished) return;
        const { result, receiveMs } = finished;
        // spec 7.4: it is not sent again, so its acknowledgement must not be lost.
        say({ kind: "resultAck", body: { stream: result.stream, frames: [result.frame] } });
        frames.handleResult(result, receiveMs, nowMs);
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
      if (state !== "connecting" && !isSilent && nowMs >= heardMs + silentAfterMs) {
        isSilent = true;
        tell({ type: "silence", isSilent });
      }
      path.expire(nowMs);
      for (const frame of slices.shed(nowMs, maxDatagramBytes)) {
        frames.expire(frame.stream, frame.frame, frame.expiresAtMs <= nowMs ? "send-queue" : "send-buffer");
      }
      slices.repair(nowMs);
      frames.expireOverdue(nowMs);
      if (acknowledgements.nextTimeoutMs() <= nowMs) acknowledge(nowMs);
      const id = state === "connecting" ? undefined : path.takePing(heardMs, nowMs);
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
        tell({ type: "stream-rejected", stream: alias, ...refusal });
        return alias;
      }
      streams.open(alias, streamOptions);
      slices.open(alias, streamOptions.fec);
      say({ kind: "open", body: openStreamToWire(alias, streamOptions) });
      return alias;
    },

    closeStream(alias) {
      if (!streams.delete(alias)) return;
      for (const frame of slices.drop(alias)) frames.expire(frame.stream, frame.frame, "abandoned");
      observe?.({ name: "stream_closed", stream: alias });
      if (state !== "closed") say({ kind: "close", body: { stream: alias } });
    },

    offer: (alias, capturedMs, nowMs) => frames.offer(alias, capturedMs, state === "open", nowMs),
    submit: frames.submit,

    nextFrame: (alias) => streams.get(alias)?.nextFrame,

    abandon: (stream, frame) => frames.expire(stream, frame, "abandoned"),

    pollControl: () => (state === "closed" ? undefined : control.poll()),

    pollDatagram(nowMs) {
      if (state === "closed" || state === "connecting" || maxDatagramBytes === 0) return undefined;
      slices.repair(nowMs);
      const maySendSlices = slices.maySend(nowMs);
      // spec 7.1: what has been gathered goes with the next tensor.
      const acknowledgeMs = maySendSlices ? acknowledgements.rideMs : acknowledgements.nextTimeoutMs();
      if (acknowledgeMs <= nowMs) acknowledge(nowMs);
      if (lossy.isEmpty && !maySendSlices) return undefined;
      const draft = draftOf(maxDatagramBytes);
      let end = lossy.fill(draft, 0, maxDatagramBytes);
      if (maySendSlices) end = slices.fill(draft, end, nowMs);
      if (end === 0) return undefined;
      bytesInDatagrams += end;
      datagramsSent++;
      return draft.subarray(0, end);
    },

    pollStream: () => frames.pollTensor(),
    pollEvent: () => events.shift(),

    nextTimeoutMs() {
      if (state === "closed") return Number.POSITIVE_INFINITY;
      if (state === "connecting") return startMs + handshakeTimeoutMs;
      return Math.min(
        slices.nextTimeoutMs(maxDatagramBytes),
        frames.nextTimeoutMs(),
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
    pathEstimate(nowMs) {
      path.use(nowMs);
      return { ...path.estimate(nowMs), silentMs: Math.max(0, nowMs - heardMs) };
    },
    get figures() {
      const { bytesOnStreams, ...ofFrames } = frames.figures;
      return {
        ...ofFrames,
        ...path.figures,
        ...{ slicesRepeated: slices.slicesRepeated, unreceivedBytes: path.unreceivedBytes + slices.bytes },
        ...{ bytesSent: bytesInDatagrams + bytesOnStreams, datagramsSent, repairsSent: slices.repairsSent },
      };
    },
  };
}
