/** A client's and a server's core on a virtual clock, 20 ms apart, with a tracer at each end and clocks that differ. */
import {
  createClientSession,
  createServerSession,
  defaultLimits,
  type SessionObserver,
  tensorStreamDefaults,
} from "@sluice/protocol";
import { createVirtualClock } from "@sluice/simnet";
import type { FrameTrace } from "@sluice/tracing";
import { createClientTracer } from "#src/client-tracer.js";
import { createEventDescriber } from "#src/describe-event.js";
import { createServerTracer } from "#src/server-tracer.js";
import type { ToldEvent } from "#src/told-event.js";

export const oneWayMs = 20;
/** What the work of each stage takes here. */
export const workMs = { produce: 8, encode: 2, decode: 3, conceal: 1, wait: 4, inference: 6 } as const;
/** The server's clock began so much earlier, and its time of day is so far ahead. */
const serverAheadMs = 5_000;
const serverWrongMs = 750;
const epochMs = 1_700_000_000_000;

export interface TwoEndsOptions {
  readonly frames: number;
  readonly deadlineMs: number;
  /** Forward error correction in its text form. Default: none. */
  readonly fec?: string;
  /** Share that is sent again where it is lost, in hundredths. Default 0. */
  readonly minReceivedPercent?: number;
  /** Whether this datagram with slices is lost. */
  isLost?(sequence: number): boolean;
  /** Extra milliseconds of the inference of this frame. */
  extraMs?(frame: number): number;
}

export function runTwoEnds(options: TwoEndsOptions) {
  const { frames, deadlineMs, isLost, extraMs } = options;
  const clock = createVirtualClock();
  const now = () => clock.now();
  const serverNow = () => clock.now() + serverAheadMs;
  const client: FrameTrace[] = [];
  const server: FrameTrace[] = [];
  const events: ToldEvent[] = [];
  const session = "ab12";
  const clientTracer = createClientTracer({ session, now, epochMs, onTrace: (trace) => client.push(trace) });
  const serverTracer = createServerTracer({
    ...{ session, isNamedByClient: true, now: serverNow, onTrace: (trace) => server.push(trace) },
    epochMs: epochMs - serverAheadMs + serverWrongMs,
  });
  /** Each end tells it as it is written. */
  const told = (observe: (event: ToldEvent) => void): SessionObserver => {
    const describe = createEventDescriber();
    return (event) => {
      for (const each of describe(event)) {
        events.push(each);
        observe(each);
      }
    };
  };
  const observeNear = told(clientTracer.observe);
  const near = createClientSession({ agent: "test", observe: observeNear }, now());
  const limits = { ...defaultLimits };
  const far = createServerSession(
    { agent: "test", limits, observe: told(serverTracer.observe) },
    serverNow(),
  );
  near.setMaxDatagramBytes(1_200);
  far.setMaxDatagramBytes(1_200);

  function afterWay(call: () => void): void {
    clock.after(oneWayMs, () => {
      call();
      pump();
    });
  }

  function pump(): void {
    for (let bytes = near.pollControl(); bytes; bytes = near.pollControl()) {
      const sent = bytes;
      afterWay(() => far.handleControl(sent, serverNow()));
    }
    for (let bytes = far.pollControl(); bytes; bytes = far.pollControl()) {
      const sent = bytes;
      afterWay(() => near.handleControl(sent, now()));
    }
    for (let bytes = near.pollDatagram(now()); bytes; bytes = near.pollDatagram(now())) {
      const sent = bytes.slice();
      const sequences = events.flatMap((event) => (event.name === "slice_sent" ? [event.sequence] : []));
      if (isLost?.(sequences.at(-1) ?? -1)) continue;
      afterWay(() => far.handleDatagram(sent, serverNow()));
    }
    for (let bytes = far.pollDatagram(serverNow()); bytes; bytes = far.pollDatagram(serverNow())) {
      const sent = bytes.slice();
      afterWay(() => near.handleDatagram(sent, now()));
    }
    for (let event = far.pollEvent(); event; event = far.pollEvent()) {
      if (event.type === "stream-requested") far.acceptStream(event.stream, 4_000, "zero");
      if (event.type === "frame") work(event.frame);
    }
    while (near.pollEvent());
  }

  function work(frame: Parameters<typeof far.answer>[0]): void {
    const { stream, frame: number, units, unitsReceived } = frame;
    const { decode, conceal, wait, inference } = workMs;
    const inferenceMs = inference + (extraMs?.(number) ?? 0);
    clock.after(decode + conceal, () => {
      serverTracer.observe({
        ...{ name: "tensor_decoded", stream, frame: number, decodeMs: decode, concealMs: conceal },
      });
    });
    clock.after(decode + conceal + wait + inferenceMs, () => {
      serverTracer.observe({ name: "tensor_inferred", stream, frame: number, inferenceMs });
      const stages = { decode, conceal, queue: wait, inference: inferenceMs };
      const concealedElements = units - unitsReceived;
      const payload = new Uint8Array(0);
      far.answer(
        frame,
        { outcome: "done", stages, elements: units, concealedElements, payload },
        serverNow(),
      );
      pump();
    });
  }

  /** Runs both ends, each woken when it asked to be. */
  function runUntil(timeMs: number): void {
    pump();
    for (;;) {
      const wakeMs = Math.min(near.nextTimeoutMs(), far.nextTimeoutMs() - serverAheadMs);
      const nextMs = Math.min(
        Math.max(wakeMs, clock.now() + 0.05),
        clock.nextTimeMs() ?? Number.POSITIVE_INFINITY,
      );
      if (nextMs > timeMs) break;
      clock.runUntil(nextMs);
      near.handleTimeout(now());
      far.handleTimeout(serverNow());
      pump();
    }
    clock.runUntil(timeMs);
  }

  runUntil(100);
  const stream = near.openStream({
    ...{ spec: { dtype: "uint8", shape: [4_000], layout: "any" }, model: "sink", split: "", codec: "raw" },
    ...{ mode: "datagram", deadlineMs, concealment: "zero", statisticsHash: new Uint8Array(0) },
    ...{ ...tensorStreamDefaults, fec: options.fec ?? "" },
    minReceivedPercent: options.minReceivedPercent ?? 0,
  });
  runUntil(200);
  for (let i = 0; i < frames; i++) {
    clock.at(200 + i * 50, () => {
      const capturedMs = now() - 1;
      const decision = near.offer(stream, capturedMs, now());
      if (!decision.admitted) return;
      const { frame } = decision;
      clock.after(workMs.produce + workMs.encode, () => {
        const slices = [0, 1, 2, 3].map((index) => ({ index, count: 4, payload: new Uint8Array(1_000) }));
        const { produce: produceMs, encode: encodeMs } = workMs;
        observeNear({ name: "tensor_encoded", stream, frame, slices, produceMs, encodeMs });
        near.submit(stream, frame, slices, undefined, now());
        pump();
      });
    });
  }
  runUntil(200 + frames * 50 + 2 * deadlineMs + 1_000);
  return { client, server, events, session, stream };
}
