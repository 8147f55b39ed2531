/**
 * The server's side of a session, without I/O: input goes in by `handle...`, output comes out by `poll...`, and time
 * is an argument of both. See client-session.ts.
 */
import type { sluice } from "@sluice/proto";
import { commonCapabilities } from "./capabilities.js";
import { createControlLane } from "./control-lane.js";
import { type ControlMessage, createControlDecoder, type OutgoingControl } from "./control-message.js";
import { decodeDatagram, encodeControlItem, type ReceivedSlice } from "./datagram.js";
import { type Drain, drainOverMs } from "./drain.js";
import { ErrorCode, errorCodeName, ProtocolError } from "./error-code.js";
import type { RecoveredDatagram } from "./fec/fec-receiver.js";
import { createRecovery } from "./fec/recovery.js";
import {
  handshakeTimeoutMs,
  maxControlMessageBytes,
  maxHelloEntries,
  maxResultPayloadBytes,
  maxStreamAlias,
  maxTokenBytes,
  peerSilenceMs,
  protocolVersion,
} from "./limits.js";
import { createLossyLane } from "./lossy-lane.js";
import { createPinger } from "./pinger.js";
import { createRateLimiter } from "./rate-limiter.js";
import { createReassembly, type ReceivedFrame } from "./reassembly.js";
import { createReceiverReport } from "./receiver-report.js";
import { createResultOutbox } from "./result-outbox.js";
import { createRttEstimator } from "./rtt-estimator.js";
import type { FrameAnswer, ServerEvent, ServerSession, ServerSessionOptions } from "./server-api.js";
import { openStreamFromWire, type TensorStreamOptions } from "./tensor-stream.js";
import { createTensorStreams } from "./tensor-streams.js";
import { createUnconfirmedResults } from "./unconfirmed-results.js";
import { limitsToWire } from "./wire-limits.js";

interface StreamState {
  readonly options: TensorStreamOptions;
  accepted: boolean;
}

/** How a slice came: in a datagram, out of repair symbols, or on a tensor's QUIC stream. */
type SliceWay =
  | { readonly kind: "datagram"; readonly sequence: number }
  | { readonly kind: "recovered" }
  | { readonly kind: "stream" };

/** Until pings have come back. */
const assumedRttMs = 50;
/** An incomplete frame is released early enough for work that takes so many times longer than it does on average. */
const processingReserve = 2;
/** Frames that a client may send at once after a pause without being shed by the rate limit. */
const toleratedBurst = 3;
/** Bytes of so much time may come at once without being shed. */
const toleratedBytesMs = 1_000;

const wireOutcomes = { done: 1, expired: 2, undecodable: 3, failed: 4 } as const;

export function createServerSession(options: ServerSessionOptions, startMs: number): ServerSession {
  const control = createControlLane();
  const decodeChunk = createControlDecoder();
  const reassembly = createReassembly();
  const report = createReceiverReport();
  const recovery = createRecovery();
  const outbox = createResultOutbox();
  const unconfirmed = createUnconfirmedResults();
  const pinger = createPinger();
  const rtt = createRttEstimator();
  let limits = options.limits;
  const limiter = createRateLimiter(limits.framesPerSecond, { burst: toleratedBurst });
  const byteLimiter = createRateLimiter(limits.maxBytesPerSecond, { ms: toleratedBytesMs });
  const streams = new Map<number, StreamState>();
  const tensorStreams = createTensorStreams(limits.maxTensorBytes || Number.MAX_SAFE_INTEGER);
  const events: ServerEvent[] = [];
  const lossy = createLossyLane();
  let highestAlias = 0;
  let state: ServerSession["state"] = "connecting";
  let capabilities: readonly string[] = [];
  let draining: Drain | undefined;
  let heardMs = startMs;
  let maxDatagramBytes = 0;
  let framesInFlight = 0;
  let slicesReceived = 0;
  let slicesRecovered = 0;
  let bytesReceived = 0;
  let bytesSent = 0;
  /** Smoothed time that the driver takes for a frame. */
  let processingMs = 0;

  const rttMs = () => rtt.smoothedMs ?? assumedRttMs;

  /** A message for the control stream. A peer that does not read it loses the session, not our memory. */
  function say(message: OutgoingControl): void {
    if (!control.push(message)) close(ErrorCode.overloaded, "control stream: the peer does not read it");
  }

  function close(code: number, reason: string): void {
    if (state === "closed") return;
    state = "closed";
    // What waits for the rest of its frame, or for its acknowledgement, waits for nothing now.
    reassembly.clear();
    outbox.clear();
    recovery.clear();
    tensorStreams.clear();
    events.push({ type: "closed", code, reason });
  }

  /** Runs a step on input from the peer; what breaks a rule ends this session and nothing else. */
  function guarded(step: () => void): void {
    if (state === "closed") return;
    try {
      step();
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      close(error.code, error.message);
    }
  }

  function pushLossy(message: OutgoingControl): void {
    if (maxDatagramBytes > 0) lossy.push(message);
    else say(message);
  }

  function handleMessage(message: ControlMessage, nowMs: number): void {
    // spec 2.2: hello comes first, and once.
    if (state === "connecting" && message.kind !== "hello" && message.kind !== "error") {
      throw new ProtocolError(ErrorCode.protocolViolation, `${message.kind} before hello`);
    }
    switch (message.kind) {
      case "hello":
        handleHello(message.body);
        return;
      case "open":
        handleOpen(message.body);
        return;
      case "close": {
        const alias = message.body.stream;
        // It may cross our refusal; spec 4.3.
        if (alias > highestAlias) throw unknownStream(alias);
        if (!streams.delete(alias)) return;
        reassembly.closeStream(alias);
        recovery.close(alias);
        events.push({ type: "stream-closed", stream: alias });
        return;
      }
      case "resultAck":
        outbox.acknowledge(message.body.stream, message.body.frames, nowMs);
        unconfirmed.acknowledge(message.body.stream, message.body.frames);
        return;
      case "ping":
        pushLossy({ kind: "pong", body: { id: message.body.id } });
        return;
      case "pong": {
        const sample = pinger.handlePong(message.body.id, nowMs);
        if (sample !== undefined) rtt.add(sample, nowMs);
        return;
      }
      case "error":
        close(message.body.code, message.body.reason || errorCodeName(message.body.code));
        return;
      // A client that drains closes its streams by itself.
      case "drain":
        return;
      // spec 4.1: these are the server's own.
      case "welcome":
      case "accept":
      case "reject":
      case "limits":
      case "feedback":
      case "result":
        throw new ProtocolError(ErrorCode.protocolViolation, `${message.kind} from a client`);
      default:
        message satisfies never;
    }
  }

  function handleHello(hello: sluice.v1.Hello): void {
    if (state !== "connecting") throw new ProtocolError(ErrorCode.protocolViolation, "a second hello");
    const { versions, token, agent } = hello;
    // spec 4.2: checked before anything is done with them.
    if (
      versions.length > maxHelloEntries ||
      hello.capabilities.length > maxHelloEntries ||
      token.length > maxTokenBytes
    ) {
      throw new ProtocolError(
        ErrorCode.limitExceeded,
        "hello: too many versions or capabilities, or a long token",
      );
    }
    if (!versions.includes(protocolVersion)) {
      throw new ProtocolError(
        ErrorCode.unsupportedVersion,
        `hello: versions [${versions.slice(0, 8).join(", ")}]; this server speaks ${protocolVersion}`,
      );
    }
    if (options.authorize && !options.authorize(token)) {
      throw new ProtocolError(ErrorCode.unauthorized, "hello: the token is not accepted");
    }
    state = "open";
    capabilities = commonCapabilities(hello.capabilities, options.capabilities ?? []);
    const body = {
      ...{ version: protocolVersion, agent: options.agent, limits: limitsToWire(limits) },
      capabilities: [...capabilities],
    };
    say({ kind: "welcome", body });
    events.push({ type: "open", agent: agent.slice(0, 128), capabilities });
  }

  function handleOpen(message: sluice.v1.OpenStream): void {
    const alias = message.stream;
    // spec 4.3: aliases rise, so that late slices of an old stream never meet a new one.
    if (alias <= highestAlias || alias > maxStreamAlias) {
      throw new ProtocolError(
        ErrorCode.protocolViolation,
        `open: stream ${alias} must be above ${highestAlias} and at most ${maxStreamAlias}`,
      );
    }
    highestAlias = alias;
    if (limits.maxStreams > 0 && streams.size >= limits.maxStreams) {
      reject(alias, ErrorCode.limitExceeded, `at most ${limits.maxStreams} tensor streams are allowed`);
      return;
    }
    try {
      const streamOptions = openStreamFromWire(message, limits.maxTensorElements);
      streams.set(alias, { options: streamOptions, accepted: false });
      events.push({ type: "stream-requested", stream: alias, options: streamOptions });
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      reject(alias, error.code, error.message);
    }
  }

  function reject(stream: number, code: number, reason: string): void {
    streams.delete(stream);
    say({ kind: "reject", body: { stream, code, reason } });
  }

  function unknownStream(alias: number): ProtocolError {
    return new ProtocolError(ErrorCode.unknownStream, `stream ${alias} is not open`);
  }

  function handleSlice({ header, payload }: ReceivedSlice, way: SliceWay, nowMs: number): void {
    const stream = streams.get(header.stream);
    // spec 5.3: the client waits for the acceptance before it sends; slices of a closed stream may still be on their way.
    if (!(stream?.accepted ?? header.stream <= highestAlias)) throw unknownStream(header.stream);
    // spec 5.1: each mode has one way.
    if (stream && (stream.options.mode === "datagram") !== (way.kind !== "stream")) {
      throw new ProtocolError(
        ErrorCode.protocolViolation,
        `a slice of stream ${header.stream}, of mode ${stream.options.mode}, ${way.kind === "stream" ? "on a QUIC stream" : "in a datagram"}`,
      );
    }
    if (header.repair !== undefined) {
      if (way.kind !== "datagram" || !recovery.protects(header.stream)) return;
      reassembly.repair(header, nowMs);
      handleRecovered(recovery.repair(header, payload, way.sequence), nowMs);
      return;
    }
    const isRecovered = way.kind === "recovered";
    if (isRecovered) slicesRecovered++;
    else slicesReceived++;
    const receipt = reassembly.add(header, payload, nowMs, rttMs(), isRecovered);
    // spec 4.4: the announced bytes of a tensor.
    if (receipt === "too-large") {
      throw new ProtocolError(ErrorCode.limitExceeded, `frame ${header.frame}: more bytes than are allowed`);
    }
    if (receipt !== "taken" && !isRecovered) events.push({ type: "slice-refused", receipt });
  }

  /** What was lost is back: as if it had come, but for what the report says of losses (spec 5.8). */
  function handleRecovered(datagrams: readonly RecoveredDatagram[], nowMs: number): void {
    for (const { sequence, slices } of datagrams) {
      report.recovered(sequence);
      for (const slice of slices) handleSlice(slice, { kind: "recovered" }, nowMs);
    }
  }

  /** Hands frames over that are complete or given up. */
  function releaseFrames(nowMs: number): void {
    for (let frame = reassembly.poll(nowMs); frame; frame = reassembly.poll(nowMs)) {
      const stream = streams.get(frame.stream);
      if (!stream) continue;
      report.frameReceived(frame.stream, frame.frame, frame.unitsReceived, frame.units, nowMs);
      // spec 4.4: what comes in excess is answered, but not worked on.
      const tooMany = limits.maxFramesInFlight > 0 && framesInFlight >= limits.maxFramesInFlight;
      if (tooMany || Math.max(limiter.freeAtMs(), byteLimiter.freeAtMs()) > nowMs) {
        const code = ErrorCode.rateLimited;
        pushResult(frame, { outcome: "expired", code, ...nothingDone, elements: 0 }, nowMs);
        events.push({ type: "shed", code });
        continue;
      }
      limiter.take(nowMs);
      byteLimiter.take(nowMs, payloadBytesOf(frame));
      framesInFlight++;
      events.push({ type: "frame", frame, options: stream.options });
    }
  }

  function pushResult(frame: ReceivedFrame, answer: FrameAnswer, nowMs: number): void {
    const { stages } = answer;
    const hundredths = (ms: number) => Math.max(0, Math.round(ms * 100));
    const result: sluice.v1.Result.$Properties = {
      ...{ stream: frame.stream, frame: frame.frame, outcome: wireOutcomes[answer.outcome] },
      stages: {
        reassembly: hundredths(frame.lastArrivalMs - frame.firstArrivalMs),
        decode: hundredths(stages.decode),
        conceal: hundredths(stages.conceal),
        queue: hundredths(stages.queue),
        inference: hundredths(stages.inference),
      },
      ...{ concealedElements: answer.concealedElements, elements: answer.elements },
      slicesReceived: frame.slices.length - frame.slicesRecovered,
      ...{ slicesRecovered: frame.slicesRecovered, code: answer.code ?? 0, payload: answer.payload },
    };
    const stream = streams.get(frame.stream);
    const deadlineMs = stream?.options.deadlineMs ?? 0;
    if (maxDatagramBytes === 0 || stream?.options.mode === "reliable") sayResult(result);
    else {
      const times = { inTimeUntilMs: frame.expiresAtMs, uselessAtMs: frame.capturedMs + 2 * deadlineMs };
      outbox.setPathLoss(report.lossShare);
      outbox.push(result, times, nowMs);
    }
  }

  function sayResult(body: sluice.v1.Result.$Properties): void {
    say({ kind: "result", body });
    unconfirmed.add(body.stream ?? 0, body.frame ?? 0);
  }

  /** When a drain ends the session; Infinity where there is none. */
  function drainMs(): number {
    if (!draining) return Number.POSITIVE_INFINITY;
    const held = framesInFlight + reassembly.frames + tensorStreams.size + outbox.size + unconfirmed.size;
    return drainOverMs(draining, held > 0, rttMs());
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
        // Datagrams may overtake the hello; they are lost then, as datagrams may be.
        if (state === "connecting") return;
        heardMs = nowMs;
        bytesReceived += datagram.length;
        for (const message of controls) handleMessage(message, nowMs);
        // spec 5.3: the first slice numbers the datagram.
        const sequence = slices[0]?.header.sequence;
        if (slices.length > 0 && sequence === undefined) {
          throw new ProtocolError(ErrorCode.malformedDatagram, "datagram: its first slice has no sequence");
        }
        if (sequence !== undefined) report.arrived(sequence, datagram.length, nowMs);
        for (const slice of slices) handleSlice(slice, { kind: "datagram", sequence: sequence! }, nowMs);
        if (sequence !== undefined) handleRecovered(recovery.hold(sequence, datagram, slices), nowMs);
        releaseFrames(nowMs);
      }),

    handleTensorStream: (id, chunk, nowMs) =>
      guarded(() => {
        if (!chunk) {
          const tensor = tensorStreams.end(id);
          if (tensor) reassembly.end(tensor.stream, tensor.frame);
          releaseFrames(nowMs);
          return;
        }
        heardMs = nowMs;
        bytesReceived += chunk.length;
        for (const slice of tensorStreams.take(id, chunk)) {
          if (state === "connecting")
            throw new ProtocolError(ErrorCode.protocolViolation, "a tensor before hello");
          handleSlice(slice, { kind: "stream" }, nowMs);
        }
        releaseFrames(nowMs);
      }),

    handleClosed: close,
    // spec 2.5
    handleControlEnd: () => close(ErrorCode.none, "the control stream ended"),

    handleTimeout(nowMs) {
      if (state === "closed") return;
      if (state === "connecting") {
        if (nowMs >= startMs + handshakeTimeoutMs) {
          close(ErrorCode.handshakeTimeout, `no hello within ${handshakeTimeoutMs} ms`);
        }
        return;
      }
      if (nowMs >= heardMs + peerSilenceMs) {
        // spec 5.7
        close(ErrorCode.peerSilent, `nothing was heard of the client for ${peerSilenceMs} ms`);
        return;
      }
      releaseFrames(nowMs);
      if (draining && nowMs >= drainMs()) {
        close(draining.code, draining.reason);
        return;
      }
      if (report.nextTimeoutMs() <= nowMs) {
        const maxBytes = maxDatagramBytes > 0 ? maxDatagramBytes - itemOverhead : maxControlMessageBytes;
        pushLossy({ kind: "feedback", body: report.take(framesInFlight, maxBytes, nowMs) });
      }
      if (pinger.nextTimeoutMs() <= nowMs) pushLossy({ kind: "ping", body: { id: pinger.take(nowMs) } });
    },

    setMaxDatagramBytes(bytes) {
      maxDatagramBytes = bytes;
    },

    acceptStream(alias, units, concealment) {
      const stream = streams.get(alias);
      if (!stream || state === "closed") return;
      stream.accepted = true;
      const { mode, deadlineMs } = stream.options;
      const maxFrameBytes = limits.maxTensorBytes || Number.MAX_SAFE_INTEGER;
      // spec 4.4: each stream keeps what was announced when it was accepted.
      tensorStreams.allow(maxFrameBytes);
      reassembly.openStream(alias, {
        ...{ units, maxFrameBytes },
        deadlineMs: mode === "reliable" ? Number.POSITIVE_INFINITY : deadlineMs,
        releaseQuiet: mode === "datagram",
        minReceived: stream.options.minReceivedPercent / 100,
        fecSpan: recovery.open(alias, stream.options.fec),
      });
      say({ kind: "accept", body: { stream: alias, concealment } });
    },

    rejectStream: reject,

    answer(frame, answer, nowMs) {
      framesInFlight--;
      if (answer.outcome === "done") {
        const { decode, conceal, queue, inference } = answer.stages;
        processingMs += (decode + conceal + queue + inference - processingMs) / 8;
        reassembly.setProcessingMs(processingMs * processingReserve);
      }
      if (state === "closed") return;
      const isTooLarge = answer.payload.length > maxResultPayloadBytes;
      const limited = {
        outcome: "failed",
        code: ErrorCode.limitExceeded,
        payload: new Uint8Array(0),
      } as const;
      pushResult(frame, isTooLarge ? { ...answer, ...limited } : answer, nowMs);
    },

    setLimits(announced) {
      limits = announced;
      limiter.setLimit(announced.framesPerSecond);
      byteLimiter.setLimit(announced.maxBytesPerSecond);
      if (state === "open") say({ kind: "limits", body: limitsToWire(announced) });
    },

    drain(code, reason, timeoutMs, nowMs) {
      if (state === "connecting") close(code, reason);
      if (state !== "open") return;
      say({ kind: "drain", body: { code, reason, timeoutMs } });
      const endsMs = timeoutMs > 0 ? nowMs + timeoutMs : Number.POSITIVE_INFINITY;
      draining = { code, reason, endsMs, startedMs: nowMs };
    },

    close,

    pollControl: () => (state === "closed" ? undefined : control.poll()),

    pollDatagram(nowMs) {
      if (state !== "open") return undefined;
      // spec 7.1: what no datagram takes, or no datagram takes any more, goes the reliable way.
      const maxResultBytes = maxDatagramBytes - itemOverhead;
      for (let large = outbox.takeLarger(maxResultBytes); large; large = outbox.takeLarger(maxResultBytes)) {
        sayResult(large);
      }
      if (maxDatagramBytes === 0) return undefined;
      if (lossy.isEmpty && outbox.nextTimeoutMs() > nowMs) return undefined;
      const datagram = new Uint8Array(maxDatagramBytes);
      let end = lossy.fill(datagram, 0, maxDatagramBytes);
      for (;;) {
        const room = maxDatagramBytes - end - itemOverhead;
        const result = room > 0 ? outbox.take(room, rttMs(), nowMs) : undefined;
        if (!result) break;
        end = encodeControlItem(datagram, end, result);
      }
      bytesSent += end;
      return end > 0 ? datagram.subarray(0, end) : undefined;
    },

    pollEvent: () => events.shift(),

    nextTimeoutMs() {
      if (state === "closed") return Number.POSITIVE_INFINITY;
      if (state === "connecting") return startMs + handshakeTimeoutMs;
      return Math.min(
        ...[
          reassembly.nextTimeoutMs(),
          report.nextTimeoutMs(),
          outbox.nextTimeoutMs(),
          pinger.nextTimeoutMs(),
          drainMs(),
        ],
      );
    },

    get capabilities() {
      return capabilities;
    },
    get state() {
      return state;
    },
    get figures() {
      return {
        ...{ rttMs: rtt.smoothedMs, slicesReceived, bytesReceived, bytesSent, framesInFlight },
        ...{ slicesRecovered, datagramsRecovered: recovery.datagramsRecovered, repairs: recovery.receipts },
        ...{ framesInReassembly: reassembly.frames, bytesInReassembly: reassembly.bytes },
        ...{ resultsRepeated: outbox.repeated, resultsWaiting: outbox.size },
      };
    },
  };
}

function payloadBytesOf(frame: ReceivedFrame): number {
  return frame.slices.reduce((sum, { payload }) => sum + payload.length, 0);
}

/** A zero, and the length of the message as a varint. */
const itemOverhead = 4;

const nothingDone = {
  stages: { decode: 0, conceal: 0, queue: 0, inference: 0 },
  concealedElements: 0,
  payload: new Uint8Array(0),
};
