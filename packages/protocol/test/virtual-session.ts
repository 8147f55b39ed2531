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
  type Link,
  type LinkParameters,
  type Random,
  type VirtualClock,
} from "@sluice/simnet";
import {
  createOpeningTransport,
  createThread,
  createTimedDelivery,
  type RealPath,
  type Thread,
} from "./real-path.js";
import { createResultCarrier, type ResultStreamPath } from "./result-carrier.js";

export interface VirtualSessionOptions {
  readonly seed: number;
  /** A path to share with others; `seed`, `up` and `down` are its own then. */
  readonly network?: VirtualNetwork;
  readonly up?: LinkParameters;
  readonly down?: LinkParameters;
  /** Coarse timers and a transport that opens; without it time is exact and the transport takes everything. */
  readonly real?: RealPath;
  readonly maxDatagramBytes?: number;
  readonly limits?: Partial<SessionLimits>;
  readonly authorize?: (token: Uint8Array) => boolean;
  /** Milliseconds that the server works on a frame. */
  readonly serviceMs?: number;
  /** Bytes of every answer. */
  readonly answerBytes?: number;
  /** How streams with results come down. Default: at once, after the link's delay. */
  readonly resultStreams?: ResultStreamPath;
  /** Units of the tensors of every stream; default one for each element. */
  readonly units?: number;
}

export const streamOptions: TensorStreamOptions = {
  spec: { dtype: "uint8", shape: [5120], layout: "any" },
  ...{ model: "sink", split: "", codec: "raw", mode: "datagram", deadlineMs: 150, concealment: "zero" },
  statisticsHash: new Uint8Array(0),
  ...tensorStreamDefaults,
};

/** Sessions whose datagrams share the two directions of one path. */
export interface VirtualNetwork {
  readonly clock: VirtualClock;
  readonly up: Link;
  readonly down: Link;
  readonly random: Random;
  readonly sessions: {
    readonly client: ClientSession;
    readonly server: ServerSession;
    readonly timerMs: number;
    /** Of both sides, for their timers. */
    readonly clientThread: Thread;
    readonly serverThread: Thread;
    pump(): void;
  }[];
  /** Runs all sides up to a time, each woken when it asked to be. */
  runUntil(timeMs: number): void;
}

export function createVirtualNetwork(
  seed: number,
  up: LinkParameters = {},
  down: LinkParameters = {},
): VirtualNetwork {
  const clock = createVirtualClock();
  const random = createRandom(seed);
  const sessions: VirtualNetwork["sessions"] = [];

  function runUntil(timeMs: number): void {
    for (const session of sessions) session.pump();
    for (;;) {
      let wakeMs = Number.POSITIVE_INFINITY;
      for (const { client, server, timerMs, clientThread, serverThread } of sessions) {
        for (const [core, thread] of [
          [client, clientThread],
          [server, serverThread],
        ] as const) {
          const dueMs = core.nextTimeoutMs();
          const firedMs = timerMs > 0 ? Math.ceil(dueMs / timerMs) * timerMs : dueMs;
          wakeMs = Math.min(wakeMs, runsFrom(thread, clock.now(), firedMs));
        }
      }
      wakeMs = Math.max(clock.now(), wakeMs);
      const nextMs = Math.min(wakeMs, clock.nextTimeMs() ?? Number.POSITIVE_INFINITY);
      if (nextMs > timeMs) break;
      if (nextMs === wakeMs) {
        // A wake-up that is already past would not let time move on.
        clock.runUntil(Math.max(nextMs, clock.now() + 0.05));
        const nowMs = clock.now();
        for (const { client, server, clientThread, serverThread, pump } of sessions) {
          const isClientDue = isDue(client, clientThread, nowMs);
          const isServerDue = isDue(server, serverThread, nowMs);
          if (isClientDue) client.handleTimeout(nowMs);
          if (isServerDue) server.handleTimeout(nowMs);
          if (isClientDue || isServerDue) pump();
        }
      } else {
        clock.step();
      }
    }
    clock.runUntil(timeMs);
    for (const session of sessions) session.pump();
  }

  const upLink = createLink(up, random.fork("up"));
  const downLink = createLink(down, random.fork("down"));
  return { clock, random, up: upLink, down: downLink, sessions, runUntil };
}

/** Behind a stall what has come is read before timers fire (`session-driver.ts`). */
const afterStallMs = 0.1;

function runsFrom(thread: Thread, nowMs: number, dueMs: number): number {
  const runsMs = thread.runsAtMs(nowMs);
  return runsMs > nowMs ? Math.max(dueMs, runsMs + afterStallMs) : dueMs;
}

function isDue(core: { nextTimeoutMs(): number }, thread: Thread, nowMs: number): boolean {
  return core.nextTimeoutMs() <= nowMs && thread.runsAtMs(nowMs) <= nowMs;
}

export function createVirtualSession(options: VirtualSessionOptions) {
  const { serviceMs = 1, maxDatagramBytes = 1_200, real } = options;
  const network = options.network ?? createVirtualNetwork(options.seed, options.up, options.down);
  const { clock } = network;
  const client: ClientSession = createClientSession({ agent: "test" }, clock.now());
  const server: ServerSession = createServerSession(
    {
      ...{ agent: "test", limits: { ...defaultLimits, ...options.limits } },
      ...(options.authorize ? { authorize: options.authorize } : {}),
    },
    clock.now(),
  );
  const clientEvents: ClientEvent[] = [];
  const serverEvents: ServerEvent[] = [];
  let streamId = 0;
  const oneWayMs = network.up.parameters().delayMs ?? 0;

  const thread = (name: string) => createThread(clock, network.random.fork(name), real ?? {});
  const [clientThread, clientEngine] = [thread("client thread"), thread("client engine")];
  const [serverThread, serverEngine] = [thread("server thread"), thread("server engine")];
  const toServer = (datagram: Uint8Array) =>
    serverEngine.when(() =>
      serverThread.when(() => {
        server.handleDatagram(datagram, clock.now());
        pump();
      }),
    );
  const toClient = (datagram: Uint8Array) =>
    clientEngine.when(() =>
      clientThread.when(() => {
        client.handleDatagram(datagram, clock.now());
        pump();
      }),
    );
  // It is a process of the same machine, which nothing but the machine's speed holds up.
  const relay = createThread(clock, network.random.fork("relay"), real?.slow ? { slow: real.slow } : {});
  const timed = (name: string, deliver: (datagram: Uint8Array) => void) =>
    real
      ? createTimedDelivery<Uint8Array>(clock, network.random.fork(name), real, (datagram) =>
          relay.when(() => deliver(datagram)),
        )
      : deliver;
  const sendUp = createScheduledLink<Uint8Array>(clock, network.up, timed("up timer", toServer));
  const sendDown = createScheduledLink<Uint8Array>(clock, network.down, timed("down timer", toClient));
  const throughTransport = real
    ? createOpeningTransport(clock, 2 * oneWayMs, real)
    : (_bytes: number, send: () => void) => send();

  client.setMaxDatagramBytes(maxDatagramBytes);
  server.setMaxDatagramBytes(maxDatagramBytes);

  function later(run: () => void): void {
    clock.after(oneWayMs, () => {
      run();
      pump();
    });
  }

  const results = createResultCarrier({
    ...{ clock, random: network.random.fork("results"), oneWayMs, client, server, pump: () => pump() },
    path: options.resultStreams ?? {},
  });

  function answer(event: Extract<ServerEvent, { type: "frame" }>): void {
    const { frame } = event;
    const done: FrameAnswer = {
      ...{ outcome: "done", elements: frame.units, concealedElements: frame.units - frame.unitsReceived },
      stages: { decode: 0.1, conceal: 0, queue: 0, inference: serviceMs },
      payload: new Uint8Array(options.answerBytes ?? 40),
    };
    const startedMs = clock.now();
    clock.after(serviceMs, () =>
      serverThread.when(() => {
        const stages = { ...done.stages, inference: clock.now() - startedMs };
        server.answer(frame, { ...done, stages }, clock.now());
        pump();
      }),
    );
  }

  let isPumpDue = false;
  function runs(thread: Thread, nowMs: number): boolean {
    const runsMs = thread.runsAtMs(nowMs);
    if (runsMs <= nowMs) return true;
    if (!isPumpDue) {
      isPumpDue = true;
      clock.at(runsMs, () => {
        isPumpDue = false;
        pump();
      });
    }
    return false;
  }

  function pumpOnce(): boolean {
    const nowMs = clock.now();
    // Both are asked: each that does not run is looked after again.
    const clientRuns = runs(clientThread, nowMs);
    const serverRuns = runs(serverThread, nowMs);
    const moved = clientRuns && pumpClient(nowMs);
    return (serverRuns && pumpServer(nowMs)) || moved;
  }

  function pumpClient(nowMs: number): boolean {
    let moved = false;
    for (let bytes = client.pollControl(); bytes; bytes = client.pollControl()) {
      const sent = bytes;
      later(() => server.handleControl(sent, clock.now()));
    }
    for (let datagram = client.pollDatagram(nowMs); datagram; datagram = client.pollDatagram(nowMs)) {
      const sent = datagram.slice();
      clientEngine.when(() => throughTransport(sent.length, () => sendUp(sent, sent.length + 40)));
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
    return moved;
  }

  function pumpServer(nowMs: number): boolean {
    let moved = false;
    for (let bytes = server.pollControl(); bytes; bytes = server.pollControl()) {
      const sent = bytes;
      later(() => client.handleControl(sent, clock.now()));
    }
    for (let datagram = server.pollDatagram(nowMs); datagram; datagram = server.pollDatagram(nowMs)) {
      const sent = datagram.slice();
      serverEngine.when(() => sendDown(sent, sent.length + 40));
    }
    for (let result = server.pollResult(); result; result = server.pollResult()) results.carry(result);
    for (let event = server.pollEvent(); event; event = server.pollEvent()) {
      moved = true;
      serverEvents.push(event);
      if (event.type === "result-ended") results.end(event);
      if (event.type === "stream-requested")
        server.acceptStream(event.stream, options.units ?? unitsOf(event.options), "zero");
      if (event.type === "frame") answer(event);
    }
    return moved;
  }

  function pump(): void {
    while (pumpOnce());
  }

  network.sessions.push({ client, server, timerMs: real?.timerMs ?? 0, clientThread, serverThread, pump });
  const { runUntil, up: upLink, down: downLink } = network;
  return {
    clock,
    upLink,
    downLink,
    client,
    server,
    clientEvents,
    serverEvents,
    clientThread,
    results,
    runUntil,
    pump,
  };
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
    clock.at(startMs + i * options.intervalMs, () =>
      session.clientThread.when(() => {
        const nowMs = clock.now();
        const decision = client.offer(stream, nowMs, nowMs);
        if (decision.admitted) {
          client.submit(
            stream,
            decision.frame,
            sliceBytes(options.bytes, client.maxPayloadBytes(stream)),
            undefined,
            nowMs,
          );
        }
        session.pump();
      }),
    );
  }
}
