/**
 * The server's side of a session, without I/O: input goes in by `handle...`, output comes out by `poll...`, and time
 * is an argument of both. See client-session.ts.
 */
import type { sluice } from "@sluice/proto";
import { createAdmission } from "./admission.js";
import { commonCapabilities } from "./capabilities.js";
import { checkHello } from "./check-hello.js";
import { createClientSigns } from "./client-signs.js";
import { createControlLane } from "./control-lane.js";
import { type ControlMessage, createControlDecoder, type OutgoingControl } from "./control-message.js";
import { decodeDatagram, itemOverhead, type ReceivedSlice } from "./datagram.js";
import { createDatagramDraft } from "./datagram-draft.js";
import { type Drain, drainOverMs } from "./drain.js";
import { ErrorCode, errorCodeName, ProtocolError } from "./error-code.js";
import type { RecoveredDatagram } from "./fec/fec-receiver.js";
import { createRecovery } from "./fec/recovery.js";
import { createLatestMedian } from "./latest-median.js";
import { handshakeTimeoutMs, maxControlMessageBytes, protocolVersion } from "./limits.js";
import { createLossyLane } from "./lossy-lane.js";
import { createPinger } from "./pinger.js";
import { createReassembly, type ReceivedFrame } from "./reassembly.js";
import { createReceiverReport } from "./receiver-report.js";
import { createResultSender } from "./result-sender.js";
import { createRttEstimator } from "./rtt-estimator.js";
import { bytesOf } from "./send-buffer.js";
import type { FrameAnswer, ServerEvent, ServerSession, ServerSessionOptions } from "./server-api.js";
import { createServerCounts, serverFigures } from "./server-figures.js";
import { createServerStreams, unknownStream } from "./server-streams.js";
import { resultFormatToWire } from "./tensor-stream.js";
import { createTensorStreams } from "./tensor-streams.js";
import { limitsToWire } from "./wire-limits.js";

/** How a slice came: in a datagram, out of repair symbols, or on a tensor's QUIC stream. */
type SliceWay =
  | { readonly kind: "datagram"; readonly sequence: number }
  | { readonly kind: "recovered" }
  | { readonly kind: "stream" };

/** Until pings have come back. */
const assumedRttMs = 50;
/** Of what a client calls itself. */
const maxAgentLength = 128;
const processingSamples = 15;

export function createServerSession(options: ServerSessionOptions, startMs: number): ServerSession {
  const { observe } = options;
  const control = createControlLane();
  const decodeChunk = createControlDecoder();
  const reassembly = createReassembly();
  const report = createReceiverReport();
  const recovery = createRecovery();
  const results = createResultSender((body) => say({ kind: "result", body }), {
    ended: (stream, frame, resetCode) => events.push({ type: "result-ended", stream, frame, resetCode }),
  });
  const pinger = createPinger();
  const rtt = createRttEstimator();
  let limits = options.limits;
  const admission = createAdmission(limits, startMs);
  const streams = createServerStreams();
  const tensorStreams = createTensorStreams(limits.maxTensorBytes || Number.MAX_SAFE_INTEGER);
  const counts = createServerCounts();
  const events: ServerEvent[] = [];
  const lossy = createLossyLane();
  const draftOf = createDatagramDraft();
  let state: ServerSession["state"] = "connecting";
  let capabilities: readonly string[] = [];
  let draining: Drain | undefined;
  const signs = createClientSigns(startMs);
  let areLimitsUntold = false;
  let maxDatagramBytes = 0;
  /** What the driver has taken for the last frames, in milliseconds. */
  const processing = createLatestMedian(processingSamples);

  const rttMs = () => rtt.smoothedMs ?? assumedRttMs;
  /** Of the answer's way: no frame is given up because a few pings were held up. */
  const commonRttMs = () => rtt.commonMs ?? assumedRttMs;

  /** A message for the control stream. A peer that does not read it loses the session, not our memory. */
  function say(message: OutgoingControl): void {
    if (!control.push(message)) close(ErrorCode.overloaded, "control stream: the peer does not read it");
  }

  function close(code: number, reason: string): void {
    if (state === "closed") return;
    state = "closed";
    // What waits for the rest of its frame, or for its acknowledgement, waits for nothing now.
    counts.framesAbandoned += reassembly.frames();
    reassembly.clear();
    results.clear();
    recovery.clear();
    tensorStreams.clear();
    observe?.({ name: "session_closed", code, reason });
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

  /** A sign of life. */
  function hear(nowMs: number): void {
    if (!signs.hear(nowMs)) return;
    pinger.resume(nowMs);
    if (areLimitsUntold) sayLimits();
  }

  function sayLimits(): void {
    areLimitsUntold = signs.isSilent;
    if (!signs.isSilent) say({ kind: "limits", body: limitsToWire(limits) });
  }

  function pushReport(nowMs: number): void {
    const maxBytes = maxDatagramBytes > 0 ? maxDatagramBytes - itemOverhead : maxControlMessageBytes;
    const body = report.take(admission.framesInFlight, maxBytes, nowMs);
    observe?.({ name: "report_sent", report: body });
    pushLossy({ kind: "feedback", body });
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
        if (!streams.wasRequested(alias)) throw unknownStream(alias);
        if (!streams.delete(alias)) return;
        reassembly.closeStream(alias);
        recovery.close(alias);
        observe?.({ name: "stream_closed", stream: alias });
        events.push({ type: "stream-closed", stream: alias });
        return;
      }
      case "resultAck":
        results.acknowledge(message.body.stream, message.body.frames, rttMs(), nowMs);
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
    checkHello(hello, options.authorize);
    state = "open";
    capabilities = commonCapabilities(hello.capabilities, options.capabilities ?? []);
    const body = {
      ...{ version: protocolVersion, agent: options.agent, limits: limitsToWire(limits) },
      capabilities: [...capabilities],
    };
    say({ kind: "welcome", body });
    const agent = hello.agent.slice(0, maxAgentLength);
    observe?.({ name: "session_opened", agent, capabilities });
    observe?.({ name: "limits_updated", limits });
    events.push({ type: "open", agent, capabilities });
  }

  function handleOpen(message: sluice.v1.OpenStream): void {
    const requested = streams.request(message, limits);
    if ("code" in requested) reject(message.stream, requested.code, requested.reason);
    else events.push({ type: "stream-requested", stream: message.stream, options: requested });
  }

  function reject(stream: number, code: number, reason: string): void {
    streams.delete(stream);
    observe?.({ name: "stream_rejected", stream, code, reason });
    say({ kind: "reject", body: { stream, code, reason } });
  }

  function handleSlice({ header, payload }: ReceivedSlice, way: SliceWay, nowMs: number): void {
    streams.ofSlice(header.stream, way.kind !== "stream");
    pinger.use(nowMs);
    const { stream, frame, index, count } = header;
    if (header.repair !== undefined) {
      // spec 5.8
      if (way.kind !== "datagram" || !recovery.protects(header.stream)) return;
      if (observe) {
        const { sequence } = way;
        observe({ name: "repair_received", stream, frame, index, count, bytes: payload.length, sequence });
      }
      reassembly.repair(header, nowMs);
      handleRecovered(recovery.repair(header, payload, way.sequence, nowMs), nowMs);
      return;
    }
    const isRecovered = way.kind === "recovered";
    if (isRecovered) counts.slicesRecovered++;
    else counts.slicesReceived++;
    const receipt = reassembly.add(header, payload, nowMs, commonRttMs(), isRecovered);
    // spec 4.4: the announced bytes of a tensor.
    if (receipt === "too-large") {
      throw new ProtocolError(ErrorCode.limitExceeded, `frame ${header.frame}: more bytes than are allowed`);
    }
    if (receipt === "taken") {
      observe?.({
        ...{ name: "slice_received", stream, frame, index, count, bytes: payload.length, isRecovered },
        ...(way.kind === "datagram" ? { sequence: way.sequence } : {}),
      });
    } else {
      observe?.({ name: "slice_refused", stream, frame, receipt });
      if (!isRecovered) events.push({ type: "slice-refused", receipt });
    }
  }

  /** What was lost is back: as if it had come, but for what the report says of losses (spec 5.8). */
  function handleRecovered(datagrams: readonly RecoveredDatagram[], nowMs: number): void {
    for (const { sequence, slices } of datagrams) {
      report.recovered(sequence);
      observe?.({ name: "datagram_recovered", sequence, slices: slices.length });
      for (const slice of slices) handleSlice(slice, { kind: "recovered" }, nowMs);
    }
  }

  /** Hands frames over that are complete or given up. */
  function releaseFrames(nowMs: number): void {
    for (let frame = reassembly.poll(nowMs); frame; frame = reassembly.poll(nowMs)) {
      const stream = streams.get(frame.stream);
      if (!stream) {
        counts.framesAbandoned++;
        continue;
      }
      report.frameReceived(frame.stream, frame.frame, frame.unitsReceived, frame.units, nowMs);
      if (observe) observe({ name: "frame_released", ...describeFrame(frame), rttMs: commonRttMs() });
      // spec 4.4: what comes in excess is answered, but not worked on.
      if (!admission.tryStart(frame, nowMs)) {
        if (!admission.tolerates(nowMs)) {
          counts.framesAbandoned++;
          close(ErrorCode.limitExceeded, "frames: they come in excess of the limits, again and again");
          return;
        }
        const code = ErrorCode.rateLimited;
        pushResult(frame, { outcome: "expired", code, ...nothingDone, elements: 0 }, nowMs);
        events.push({ type: "shed", code, unheardMs: admission.unheardMs(nowMs) });
        continue;
      }
      events.push({ type: "frame", frame, options: stream.options });
    }
  }

  function pushResult(frame: ReceivedFrame, answer: FrameAnswer, nowMs: number): FrameAnswer {
    const { stream, frame: number } = frame;
    results.setPathLoss(report.lossShare());
    const way = { options: streams.get(stream)?.options, maxDatagramBytes };
    const told = results.push(frame, answer, way, nowMs);
    const { outcome, code = 0, elements, concealedElements } = told;
    observe?.({ name: "frame_answered", stream, frame: number, outcome, code, elements, concealedElements });
    return told;
  }

  /** When a drain ends the session; Infinity where there is none. */
  function drainMs(): number {
    if (!draining) return Number.POSITIVE_INFINITY;
    if (signs.isSilent) return drainOverMs(draining, false, rttMs());
    const held = admission.framesInFlight + reassembly.frames() + tensorStreams.size + results.size;
    return drainOverMs(draining, held > 0, rttMs());
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
        // Datagrams may overtake the hello; they are lost then, as datagrams may be.
        if (state === "connecting") return;
        hear(nowMs);
        counts.bytesReceived += datagram.length;
        for (const message of controls) handleMessage(message, nowMs);
        // spec 5.3: the first slice numbers the datagram.
        const sequence = slices[0]?.header.sequence;
        if (slices.length > 0 && sequence === undefined) {
          throw new ProtocolError(ErrorCode.malformedDatagram, "datagram: its first slice has no sequence");
        }
        if (sequence !== undefined) report.arrived(sequence, datagram.length, nowMs);
        for (const slice of slices) handleSlice(slice, { kind: "datagram", sequence: sequence! }, nowMs);
        if (sequence !== undefined) handleRecovered(recovery.hold(sequence, datagram, slices, nowMs), nowMs);
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
        hear(nowMs);
        counts.bytesReceived += chunk.length;
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
      // spec 5.7
      const { heardMs, patienceMs } = signs;
      if (nowMs >= heardMs + patienceMs) {
        close(ErrorCode.peerSilent, `nothing was heard of the client for ${Math.round(patienceMs)} ms`);
        return;
      }
      signs.look(nowMs);
      releaseFrames(nowMs);
      recovery.expire(nowMs);
      results.expireUploads(maxDatagramBytes, rttMs(), nowMs);
      if (draining && nowMs >= drainMs()) {
        close(draining.code, draining.reason);
        return;
      }
      if (report.nextTimeoutMs() <= nowMs) pushReport(nowMs);
      if (pinger.nextTimeoutMs() <= nowMs) {
        pushLossy({ kind: "ping", body: { id: pinger.take(nowMs, { heardMs, isPatient: true }) } });
      }
    },

    setMaxDatagramBytes(bytes) {
      maxDatagramBytes = bytes;
    },

    acceptStream(alias, units, concealment, answers = {}) {
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
        fecSpan: recovery.open(alias, stream.options.fec, deadlineMs),
      });
      const { resultFormat = stream.options.resultFormat, model = "" } = answers;
      const opened = { ...stream.options, concealment };
      observe?.({ name: "stream_opened", stream: alias, ...opened, model: model || opened.model });
      const isAsAsked = model === stream.options.model;
      say({
        kind: "accept",
        body: {
          ...{ stream: alias, concealment, resultFormat: resultFormatToWire(resultFormat) },
          ...(isAsAsked ? {} : { model }),
        },
      });
    },

    rejectStream: reject,

    answer(frame, answer, nowMs) {
      admission.finished();
      if (answer.outcome === "done") {
        const { decode, conceal, queue, inference } = answer.stages;
        processing.add(decode + conceal + queue + inference);
        reassembly.setProcessingMs(processing.value!);
      }
      return state === "closed" ? answer : pushResult(frame, answer, nowMs);
    },

    setLimits(announced) {
      limits = announced;
      admission.setLimits(announced);
      if (state !== "open") return;
      observe?.({ name: "limits_updated", limits: announced });
      sayLimits();
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
    pollResult() {
      const upload = results.pollUpload();
      counts.bytesSent += upload?.bytes.length ?? 0;
      return upload;
    },
    resultStopped: (stream, frame, nowMs) => results.uploadStopped(stream, frame, rttMs(), nowMs),

    pollDatagram(nowMs) {
      if (state !== "open") return undefined;
      // spec 7.1: what no datagram takes, or no datagram takes any more, goes the reliable way.
      results.sayLarge(maxDatagramBytes);
      if (maxDatagramBytes === 0) return undefined;
      const hasResults = !signs.isSilent && results.nextDatagramMs() <= nowMs;
      // spec 5.6: what may ride goes with the results that leave now; what is due leaves without a timer in between.
      if ((hasResults ? report.rideMs() : report.nextTimeoutMs()) <= nowMs) pushReport(nowMs);
      if (lossy.isEmpty && !hasResults) return undefined;
      const draft = draftOf(maxDatagramBytes);
      let end = lossy.fill(draft, 0, maxDatagramBytes);
      if (!signs.isSilent) end = results.fill(draft, end, rttMs(), nowMs);
      counts.bytesSent += end;
      return end > 0 ? draft.subarray(0, end) : undefined;
    },

    pollEvent: () => events.shift(),

    nextTimeoutMs() {
      if (state === "closed") return Number.POSITIVE_INFINITY;
      if (state === "connecting") return startMs + handshakeTimeoutMs;
      return Math.min(
        reassembly.nextTimeoutMs(),
        report.nextTimeoutMs(),
        signs.isSilent ? results.nextUploadMs() : results.nextTimeoutMs(),
        pinger.nextTimeoutMs(),
        signs.heardMs + signs.patienceMs,
        recovery.nextTimeoutMs(),
        drainMs(),
      );
    },

    silentMs: (nowMs) => nowMs - signs.heardMs,
    get capabilities() {
      return capabilities;
    },
    get state() {
      return state;
    },
    get figures() {
      return serverFigures(counts, { rtt, recovery, admission, reassembly, results });
    },
  };
}

const nothingDone = {
  stages: { decode: 0, conceal: 0, queue: 0, inference: 0 },
  concealedElements: 0,
  payload: new Uint8Array(0),
};

function describeFrame({ slices, ...received }: ReceivedFrame) {
  return { ...received, slicesReceived: slices.length - received.slicesRecovered, bytes: bytesOf(slices) };
}
