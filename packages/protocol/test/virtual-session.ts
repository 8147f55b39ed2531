/** A client and a server core joined by two seeded links on a virtual clock. */

import {
  type ClientEvent,
  type ClientSession,
  createClientSession,
  createServerSession,
  defaultLimits,
  type FrameAnswer,
  type OutgoingSlice,
  type ServerEvent,
  type ServerSession,
  type SessionLimits,
  type TensorStreamOptions,
  tensorStreamDefaults,
} from "@sluice/protocol";
import {
  createLink,
  createRandom,
  createScheduledLink,
  createVirtualClock,
  type LinkParameters,
} from "@sluice/simnet";

export interface VirtualSessionOptions {
  readonly seed: number;
  readonly up?: LinkParameters;
  readonly down?: LinkParameters;
  readonly maxDatagramBytes?: number;
  readonly limits?: Partial<SessionLimits>;
  readonly authorize?: (token: Uint8Array) => boolean;
  /** Milliseconds that the server works on a frame. */
  readonly serviceMs?: number;
  /** Bytes of every answer. */
  readonly answerBytes?: number;
}

export const streamOptions: TensorStreamOptions = {
  spec: { dtype: "uint8", shape: [5120], layout: "any" },
  ...{ model: "sink", split: "", codec: "raw", mode: "datagram", deadlineMs: 150, concealment: "zero" },
  statisticsHash: new Uint8Array(0),
  ...tensorStreamDefaults,
};

export function createVirtualSession(options: VirtualSessionOptions) {
  const { seed, serviceMs = 1, maxDatagramBytes = 1_200 } = options;
  const clock = createVirtualClock();
  const random = createRandom(seed);
  const client: ClientSession = createClientSession({ agent: "test" }, 0);
  const server: ServerSession = createServerSession(
    {
      ...{ agent: "test", limits: { ...defaultLimits, ...options.limits } },
      ...(options.authorize ? { authorize: options.authorize } : {}),
    },
    0,
  );
  const clientEvents: ClientEvent[] = [];
  const serverEvents: ServerEvent[] = [];
  let streamId = 0;
  const oneWayMs = options.up?.delayMs ?? 0;

  const downLink = createLink(options.down ?? {}, random.fork("down"));
  const upLink = createLink(options.up ?? {}, random.fork("up"));
  const sendUp = createScheduledLink<Uint8Array>(clock, upLink, (datagram) => {
    server.handleDatagram(datagram, clock.now());
    pump();
  });
  const sendDown = createScheduledLink<Uint8Array>(clock, downLink, (datagram) => {
    client.handleDatagram(datagram, clock.now());
    pump();
  });

  client.setMaxDatagramBytes(maxDatagramBytes);
  server.setMaxDatagramBytes(maxDatagramBytes);

  function later(run: () => void): void {
    clock.after(oneWayMs, () => {
      run();
      pump();
    });
  }

  function answer(event: Extract<ServerEvent, { type: "frame" }>): void {
    const { frame } = event;
    const done: FrameAnswer = {
      ...{ outcome: "done", elements: frame.units, concealedElements: frame.units - frame.unitsReceived },
      stages: { decode: 0.1, conceal: 0, queue: 0, inference: serviceMs },
      payload: new Uint8Array(options.answerBytes ?? 40),
    };
    clock.after(serviceMs, () => {
      server.answer(frame, done, clock.now());
      pump();
    });
  }

  function pumpOnce(): boolean {
    const nowMs = clock.now();
    let moved = false;
    for (let bytes = client.pollControl(); bytes; bytes = client.pollControl()) {
      const sent = bytes;
      later(() => server.handleControl(sent, clock.now()));
    }
    for (let bytes = server.pollControl(); bytes; bytes = server.pollControl()) {
      const sent = bytes;
      later(() => client.handleControl(sent, clock.now()));
    }
    for (let datagram = client.pollDatagram(nowMs); datagram; datagram = client.pollDatagram(nowMs)) {
      sendUp(datagram.slice(), datagram.length + 40);
    }
    for (let datagram = server.pollDatagram(nowMs); datagram; datagram = server.pollDatagram(nowMs)) {
      sendDown(datagram.slice(), datagram.length + 40);
    }
    for (let tensor = client.pollStream(); tensor; tensor = client.pollStream()) {
      const { bytes } = tensor;
      const id = streamId++;
      later(() => {
        server.handleTensorStream(id, bytes, clock.now());
        server.handleTensorStream(id, undefined, clock.now());
      });
    }
    for (let event = client.pollEvent(); event; event = client.pollEvent()) {
      moved = true;
      clientEvents.push(event);
    }
    for (let event = server.pollEvent(); event; event = server.pollEvent()) {
      moved = true;
      serverEvents.push(event);
      if (event.type === "stream-requested")
        server.acceptStream(event.stream, unitsOf(event.options), "zero");
      if (event.type === "frame") answer(event);
    }
    return moved;
  }

  function pump(): void {
    while (pumpOnce());
  }

  /** Runs both sides up to a time, each woken when it asked to be. */
  function runUntil(timeMs: number): void {
    pump();
    for (;;) {
      const wakeMs = Math.max(clock.now(), Math.min(client.nextTimeoutMs(), server.nextTimeoutMs()));
      const nextMs = Math.min(wakeMs, clock.nextTimeMs() ?? Number.POSITIVE_INFINITY);
      if (nextMs > timeMs) break;
      if (nextMs === wakeMs) {
        // A wake-up that is already past would not let time move on.
        clock.runUntil(Math.max(nextMs, clock.now() + 0.05));
        client.handleTimeout(clock.now());
        server.handleTimeout(clock.now());
        pump();
      } else {
        clock.step();
      }
    }
    clock.runUntil(timeMs);
    pump();
  }

  return { clock, upLink, downLink, client, server, clientEvents, serverEvents, runUntil, pump };
}

export function unitsOf(options: TensorStreamOptions): number {
  return options.spec.shape.reduce((product, size) => product * size, 1);
}

/** Cuts bytes as the `raw` codec does. */
export function sliceBytes(bytes: Uint8Array, maxPayloadBytes: number): OutgoingSlice[] {
  const count = Math.ceil(bytes.length / maxPayloadBytes);
  return Array.from({ length: count }, (_, index) => {
    const first = Math.floor((index * bytes.length) / count);
    const end = Math.floor(((index + 1) * bytes.length) / count);
    return { index, count, payload: bytes.subarray(first, end) };
  });
}

/** Offers frames at a steady rate from now on and submits what the gate admits. */
export function streamFrames(
  session: ReturnType<typeof createVirtualSession>,
  stream: number,
  options: { readonly frames: number; readonly intervalMs: number; readonly bytes: Uint8Array },
): void {
  const { clock, client } = session;
  const startMs = clock.now();
  for (let i = 0; i < options.frames; i++) {
    clock.at(startMs + i * options.intervalMs, () => {
      const nowMs = clock.now();
      const decision = client.offer(stream, nowMs, nowMs);
      if (decision.admitted) {
        client.submit(
          stream,
          decision.frame,
          sliceBytes(options.bytes, client.maxPayloadBytes),
          undefined,
          nowMs,
        );
      }
      session.pump();
    });
  }
}
