import {
  createServerSession,
  defaultLimits,
  type FrameAnswer,
  type ServerEvent,
  type ServerSession,
  type SessionLimits,
  type TensorStreamOptions,
} from "@sluice/protocol";
import { encodeControl, encodeDelimitedControl, type OutgoingControl } from "#src/control-message.js";
import { encodeControlItem, encodeSliceItem } from "#src/datagram.js";
import type { SliceHeader } from "#src/slice-header.js";
import { openStreamToWire } from "#src/tensor-stream.js";
import { streamOptions, unitsOf } from "./virtual-session.js";

export const done: FrameAnswer = {
  ...{ outcome: "done", elements: 1, concealedElements: 0, payload: new Uint8Array(40) },
  stages: { decode: 0.1, conceal: 0, queue: 0, inference: 1 },
};

/** A server's core, what it did so far, and the means of a peer that knows the wire too well. */
export function createVictim(limits: Partial<SessionLimits> = {}, maxDatagramBytes = 1_200) {
  const server: ServerSession = createServerSession(
    { agent: "test", limits: { ...defaultLimits, ...limits } },
    0,
  );
  server.setMaxDatagramBytes(maxDatagramBytes);
  const events: ServerEvent[] = [];
  let sequence = 0;
  const take = () => {
    for (let event = server.pollEvent(); event; event = server.pollEvent()) {
      events.push(event);
      if (event.type === "stream-requested")
        server.acceptStream(event.stream, unitsOf(event.options), "zero");
    }
  };
  const victim = {
    server,
    events,
    say(message: OutgoingControl, nowMs = 0) {
      server.handleControl(encodeDelimitedControl(message), nowMs);
      take();
    },
    send(header: Partial<SliceHeader>, payload = new Uint8Array(10), nowMs = 0) {
      const full = {
        stream: 1,
        frame: 0,
        index: 0,
        count: 4,
        ageMs: 0,
        payloadBytes: undefined,
        sequence: sequence++,
      };
      const bytes = new Uint8Array(64 + payload.length);
      server.handleDatagram(
        bytes.slice(0, encodeSliceItem(bytes, 0, { ...full, ...header }, payload)),
        nowMs,
      );
      take();
    },
    sendMessage(message: OutgoingControl) {
      const body = encodeControl(message);
      const bytes = new Uint8Array(body.length + 6);
      server.handleDatagram(bytes.slice(0, encodeControlItem(bytes, 0, body)), 0);
      take();
    },
    stream(id: number, bytes: Uint8Array | undefined, nowMs = 0) {
      server.handleTensorStream(id, bytes, nowMs);
      take();
    },
    wait(nowMs: number) {
      server.handleTimeout(nowMs);
      take();
    },
    open(options: Partial<TensorStreamOptions> = {}, stream = 1) {
      victim.say({ kind: "open", body: openStreamToWire(stream, { ...streamOptions, ...options }) });
    },
    frames: () => events.filter((event) => event.type === "frame").map(({ frame }) => frame),
    get closed() {
      return events.find((event) => event.type === "closed");
    },
  };
  return victim;
}

export function createOpenVictim(
  limits: Partial<SessionLimits> = {},
  options: Partial<TensorStreamOptions> = {},
) {
  const victim = createVictim(limits);
  victim.say({ kind: "hello", body: { versions: [1] } });
  victim.open(options);
  return victim;
}

export type Victim = ReturnType<typeof createVictim>;
export const hello: OutgoingControl = { kind: "hello", body: { versions: [1] } };
