import {
  createClientSession,
  createServerSession,
  defaultLimits,
  ErrorCode,
  type FrameAnswer,
  type ServerEvent,
  type ServerSession,
  type SessionLimits,
  type TensorStreamOptions,
} from "@sluice/protocol";
import t from "tap";
import {
  createControlDecoder,
  encodeControl,
  encodeDelimitedControl,
  type OutgoingControl,
} from "#src/control-message.js";
import { decodeDatagram, encodeControlItem, encodeSliceItem } from "#src/datagram.js";
import { handshakeTimeoutMs, maxFramesInReassembly, maxReassemblyBytes } from "#src/limits.js";
import type { SliceHeader } from "#src/slice-header.js";
import { encodeTensor } from "#src/tensor-framing.js";
import { openStreamToWire } from "#src/tensor-stream.js";
import { streamOptions, unitsOf } from "./virtual-session.js";

const done: FrameAnswer = {
  ...{ outcome: "done", elements: 1, concealedElements: 0, payload: new Uint8Array(40) },
  stages: { decode: 0.1, conceal: 0, queue: 0, inference: 1 },
};

/** A server's core, what it did so far, and the means of a peer that knows the wire too well. */
function createVictim(limits: Partial<SessionLimits> = {}, maxDatagramBytes = 1_200) {
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

function createOpenVictim(limits: Partial<SessionLimits> = {}, options: Partial<TensorStreamOptions> = {}) {
  const victim = createVictim(limits);
  victim.say({ kind: "hello", body: { versions: [1] } });
  victim.open(options);
  return victim;
}

type Victim = ReturnType<typeof createVictim>;
const hello: OutgoingControl = { kind: "hello", body: { versions: [1] } };

const offences: Record<string, { code: number; message: RegExp; commit: (victim: Victim) => void }> = {
  "a second hello": {
    code: ErrorCode.protocolViolation,
    message: /second hello/,
    commit: (v) => v.say(hello),
  },
  "an alias that was used before": {
    ...{
      code: ErrorCode.protocolViolation,
      message: /stream 1 must be above 1/,
      commit: (v) => v.open({}, 1),
    },
  },
  "an alias that was used and closed": {
    ...{ code: ErrorCode.protocolViolation, message: /must be above/ },
    commit(victim) {
      victim.say({ kind: "close", body: { stream: 1 } });
      victim.open({}, 1);
    },
  },
  "alias 0": { code: ErrorCode.protocolViolation, message: /stream 0/, commit: (v) => v.open({}, 0) },
  "an alias over the range": {
    code: ErrorCode.protocolViolation,
    message: /16384/,
    commit: (v) => v.open({}, 16_384),
  },
  "a slice for an unknown alias": {
    code: ErrorCode.unknownStream,
    message: /2/,
    commit: (v) => v.send({ stream: 2 }),
  },
  "a tensor for an unknown alias": {
    ...{ code: ErrorCode.unknownStream, message: /2/ },
    commit: (v) => v.stream(1, encodeTensor(2, 0, [{ index: 0, count: 1, payload: new Uint8Array(1) }], 0)),
  },
  "closing an unknown alias": {
    ...{
      code: ErrorCode.unknownStream,
      message: /9/,
      commit: (v) => v.say({ kind: "close", body: { stream: 9 } }),
    },
  },
  "a slice outside its tensor": {
    ...{ code: ErrorCode.sliceOutOfRange, message: /4 of 4/, commit: (v) => v.send({ index: 4, count: 4 }) },
  },
  "more slices than units": {
    ...{
      code: ErrorCode.sliceOutOfRange,
      message: /5121/,
      commit: (v) => v.send({ index: 0, count: 5_121 }),
    },
  },
  "a tensor larger than the limit in datagrams": {
    ...{ code: ErrorCode.limitExceeded, message: /frame 0/ },
    commit(victim) {
      for (let index = 0; index < 8; index++) victim.send({ index, count: 1_000 }, new Uint8Array(1_176));
    },
  },
  "a tensor larger than the limit on a stream, told by its header alone": {
    ...{ code: ErrorCode.limitExceeded, message: /8000/ },
    commit: (v) =>
      v.stream(
        1,
        encodeTensor(1, 0, [{ index: 0, count: 1, payload: new Uint8Array(8_001) }], 0).slice(0, 20),
      ),
  },
  "a datagram without its number": {
    ...{
      code: ErrorCode.malformedDatagram,
      message: /sequence/,
      commit: (v) => v.send({ sequence: undefined }),
    },
  },
  "random bytes on a stream": {
    ...{
      code: ErrorCode.protocolViolation,
      message: /slice header/,
      commit: (v) => v.stream(1, new Uint8Array(99).fill(255)),
    },
  },
  "an open in a datagram": {
    ...{ code: ErrorCode.protocolViolation, message: /open is not allowed/ },
    commit: (v) => v.sendMessage({ kind: "open", body: openStreamToWire(2, streamOptions) }),
  },
};
for (const kind of ["feedback", "result", "welcome", "accept", "reject", "limits"] as const) {
  offences[`${kind} from a client`] = {
    ...{ code: ErrorCode.protocolViolation, message: new RegExp(`${kind} from a client`) },
    commit: (v) => v.say({ kind, body: {} }),
  };
}
for (const kind of ["feedback", "result"] as const) {
  offences[`${kind} from a client in a datagram`] = {
    ...{ code: ErrorCode.protocolViolation, message: new RegExp(`${kind} from a client`) },
    commit: (v) => v.sendMessage({ kind, body: {} }),
  };
}

for (const [name, { code, message, commit }] of Object.entries(offences)) {
  t.test(name, async (t) => {
    const victim = createOpenVictim({ maxTensorBytes: 8_000 });
    t.equal(victim.server.state, "open");
    commit(victim);
    t.match(victim.closed, { code, reason: message });
    t.equal(victim.server.state, "closed");
    // What comes after the end changes nothing.
    commit(victim);
    victim.send({});
    t.equal(victim.events.filter(({ type }) => type === "closed").length, 1);
    t.equal(victim.server.nextTimeoutMs(), Number.POSITIVE_INFINITY);
  });
}

t.test("hellos that are none", async (t) => {
  const cases: Record<
    string,
    { body: (OutgoingControl & { kind: "hello" })["body"]; code: number; message: RegExp }
  > = {
    "no version": { body: {}, code: ErrorCode.unsupportedVersion, message: /versions \[\]/ },
    "unknown versions": {
      body: { versions: [2, 7] },
      code: ErrorCode.unsupportedVersion,
      message: /\[2, 7\]/,
    },
    "too many versions": {
      body: { versions: new Array<number>(65).fill(1) },
      code: ErrorCode.limitExceeded,
      message: /hello/,
    },
    "a long token": {
      body: { versions: [1], token: new Uint8Array(4_097) },
      code: ErrorCode.limitExceeded,
      message: /token/,
    },
  };
  for (const [name, { body, code, message }] of Object.entries(cases)) {
    const victim = createVictim();
    victim.say({ kind: "hello", body });
    t.match(victim.closed, { code, reason: message }, name);
  }
  const future = createVictim();
  future.say({ kind: "hello", body: { versions: [9, 1], capabilities: ["teleport"] } });
  t.equal(future.server.state, "open", "a version that both know is enough");
});

t.test("before the hello nothing else is taken", async (t) => {
  const early = createVictim();
  early.open();
  t.match(early.closed, { code: ErrorCode.protocolViolation, reason: /open before hello/ });
  const overtaking = createVictim();
  overtaking.send({});
  t.equal(overtaking.server.state, "connecting", "datagrams may overtake the hello");
  overtaking.stream(1, encodeTensor(1, 0, [{ index: 0, count: 1, payload: new Uint8Array(1) }], 0));
  t.match(overtaking.closed, { code: ErrorCode.protocolViolation, reason: /before hello/ });
  const silent = createVictim();
  silent.wait(handshakeTimeoutMs);
  t.match(silent.closed, { code: ErrorCode.handshakeTimeout });
});

t.test("frames beyond the limit in flight are shed and answered", async (t) => {
  const victim = createOpenVictim({ maxFramesInFlight: 3 });
  for (let frame = 0; frame < 10; frame++) victim.send({ frame, count: 1 });
  t.equal(victim.frames().length, 3);
  t.equal(
    victim.events.filter((event) => event.type === "shed" && event.code === ErrorCode.rateLimited).length,
    7,
  );
  t.equal(victim.server.figures.framesInFlight, 3);
  for (const frame of victim.frames()) victim.server.answer(frame, done, 1);
  t.equal(victim.server.figures.framesInFlight, 0);
  victim.send({ frame: 10, count: 1 });
  t.equal(victim.frames().length, 4);
});

t.test("a client that stops in the middle of a tensor leaves nothing behind", async (t) => {
  const datagrams = createOpenVictim();
  datagrams.send({ index: 0 }, new Uint8Array(1_000), 10);
  t.ok(datagrams.server.figures.bytesInReassembly >= 1_000);
  // Only when it asks to be woken.
  for (let nowMs = 10; nowMs < 110; nowMs++) if (datagrams.server.nextTimeoutMs() <= nowMs) datagrams.wait(nowMs);
  t.match(datagrams.frames(), [{ unitsReceived: 1_280 }]);
  t.match(datagrams.server.figures, { bytesInReassembly: 0, framesInReassembly: 0, framesInFlight: 1 });

  for (const mode of ["stream", "reliable"] as const) {
    const streams = createOpenVictim({}, { mode });
    const slices = [0, 1, 2, 3].map((index) => ({ index, count: 4, payload: new Uint8Array(1_000) }));
    streams.stream(1, encodeTensor(1, 0, slices, 0).slice(0, 2_500));
    t.ok(streams.server.figures.bytesInReassembly >= 2_000);
    streams.stream(1, undefined, 5);
    t.match(streams.frames(), [{ unitsReceived: 2_560 }], `${mode}: what came before the end is used`);
    t.match(streams.server.figures, { bytesInReassembly: 0, framesInReassembly: 0 });
  }
});

t.test("a session that ends holds nothing any more", async (t) => {
  const victim = createOpenVictim();
  for (let frame = 0; frame < 5; frame++) victim.send({ frame }, new Uint8Array(1_000));
  victim.server.handleClosed(0, "gone");
  t.match(victim.server.figures, { bytesInReassembly: 0, framesInReassembly: 0, resultsWaiting: 0 });
});

t.test("a flood of first slices holds a bounded number of frames and bytes", async (t) => {
  const victim = createOpenVictim();
  const payload = new Uint8Array(1_000);
  let mostFrames = 0;
  let mostBytes = 0;
  let mostInFlight = 0;
  const startMs = performance.now();
  for (let frame = 0; frame < 100_000; frame++) {
    victim.send({ frame, count: 1_000 }, payload, frame / 1_000);
    const { framesInReassembly, bytesInReassembly, framesInFlight } = victim.server.figures;
    mostFrames = Math.max(mostFrames, framesInReassembly);
    mostBytes = Math.max(mostBytes, bytesInReassembly);
    mostInFlight = Math.max(mostInFlight, framesInFlight);
    // A real driver hands frames on; a record of all of them would be the test's own flood.
    victim.events.length = 0;
    while (victim.server.pollDatagram(frame / 1_000));
  }
  t.equal(victim.server.state, "open");
  t.ok(mostFrames > 1 && mostFrames <= maxFramesInReassembly, `${mostFrames} frames`);
  t.ok(mostBytes <= 64 * 1_300, `${mostBytes} bytes`);
  t.equal(mostInFlight, defaultLimits.maxFramesInFlight);
  t.ok(performance.now() - startMs < 10_000);
});

t.test("what waits for the rest of its slice on streams is bounded over all of them", async (t) => {
  const victim = createOpenVictim({}, { mode: "reliable" });
  const payload = new Uint8Array(50 << 20);
  const bytes = encodeTensor(1, 0, [{ index: 0, count: 2, payload }], 0).subarray(0, -1);
  victim.stream(1, bytes);
  victim.stream(2, bytes);
  t.equal(victim.server.state, "open");
  victim.stream(3, bytes);
  t.match(victim.closed, { code: ErrorCode.limitExceeded, reason: new RegExp(`${maxReassemblyBytes}`) });
});

t.test("streams opened and refused, more than are allowed", async (t) => {
  const victim = createVictim({ maxStreams: 2 });
  victim.say(hello);
  for (let alias = 1; alias <= 5; alias++) victim.open({}, alias);
  const decode = createControlDecoder();
  const kinds: string[] = [];
  for (let bytes = victim.server.pollControl(); bytes; bytes = victim.server.pollControl()) {
    kinds.push(...decode(bytes).map((message) => message.kind));
  }
  t.same(kinds, ["welcome", "accept", "accept", "reject", "reject", "reject"]);
  t.equal(victim.server.state, "open");
  victim.say({ kind: "close", body: { stream: 1 } });
  victim.open({}, 6);
  t.equal(victim.events.filter(({ type }) => type === "stream-requested").length, 3);
});

t.test("a client that never reads the control stream ends its own session and nothing else", async (t) => {
  const answers = createVictim({ maxFramesInFlight: 0 }, 0);
  answers.say(hello);
  answers.open({ mode: "reliable" });
  for (let frame = 0; answers.server.state === "open" && frame < 100_000; frame++) {
    answers.stream(frame, encodeTensor(1, frame, [{ index: 0, count: 1, payload: new Uint8Array(9) }], 0));
    answers.stream(frame, undefined);
    const last = answers.frames().at(-1);
    if (last) answers.server.answer(last, done, 0);
    answers.events.splice(0, answers.events.length - 1);
  }
  t.equal(answers.server.state, "closed");
  t.match(answers.server.pollEvent(), { type: "closed", code: ErrorCode.overloaded });

  for (const act of [
    (server: ServerSession) => server.rejectStream(1, 1, "x".repeat(60_000)),
    (server: ServerSession) => server.drain(1, "x".repeat(60_000)),
  ]) {
    const { server } = createOpenVictim();
    for (let i = 0; i < 100 && server.state === "open"; i++) act(server);
    t.equal(server.state, "closed");
  }
  const pings = createVictim({}, 0);
  pings.say(hello);
  for (let nowMs = 0; nowMs < 1e9 && pings.server.state === "open"; nowMs += 1_000) pings.wait(nowMs);
  t.equal(pings.server.state, "closed", "with nothing but the pings of a session without datagrams");
});

t.test("an answer that is too large for any message fails its frame, once", async (t) => {
  const { server, frames, send } = createOpenVictim();
  send({ count: 1 });
  while (server.pollControl());
  server.answer(frames()[0]!, { ...done, payload: new Uint8Array(70_000) }, 0);
  t.equal(server.figures.framesInFlight, 0);
  t.equal(server.figures.resultsWaiting, 1);
  const { controls } = decodeDatagram(server.pollDatagram(0)!);
  const results = controls.filter(({ kind }) => kind === "result");
  t.match(results, [{ body: { frame: 0, outcome: 4, code: ErrorCode.limitExceeded } }]);
});

t.test("results reach the client when datagrams become too small for them, or vanish", async (t) => {
  for (const maxDatagramBytes of [0, 3, 30]) {
    const victim = createOpenVictim();
    for (let frame = 0; frame < 3; frame++) victim.send({ frame, count: 1 });
    for (const frame of victim.frames()) victim.server.answer(frame, done, 0);
    while (victim.server.pollControl());
    victim.server.setMaxDatagramBytes(maxDatagramBytes);
    while (victim.server.pollDatagram(0));
    let results = 0;
    const decode = createControlDecoder();
    for (let bytes = victim.server.pollControl(); bytes; bytes = victim.server.pollControl()) {
      results += decode(bytes).filter(({ kind }) => kind === "result").length;
    }
    t.equal(results, 3);
    t.equal(victim.server.figures.resultsWaiting, 0, "and no timer runs for them");
  }
});

t.test("a client that closes a stream before it is accepted goes on", async (t) => {
  for (const answer of ["accept", "reject"] as const) {
    const client = createClientSession({ agent: "test" }, 0);
    client.handleControl(encodeDelimitedControl({ kind: "welcome", body: { version: 1 } }), 0);
    const alias = client.openStream(streamOptions);
    client.closeStream(alias);
    client.handleControl(encodeDelimitedControl({ kind: answer, body: { stream: alias } }), 0);
    t.equal(client.state, "open");
    client.handleControl(encodeDelimitedControl({ kind: answer, body: { stream: alias + 1 } }), 0);
    t.equal(client.state, "closed", "an alias that was never opened is the server's fault");
  }
});

t.test("servers that break the rules", async (t) => {
  const cases: Record<string, { messages: readonly OutgoingControl[]; code: number }> = {
    "another version": {
      messages: [{ kind: "welcome", body: { version: 2 } }],
      code: ErrorCode.unsupportedVersion,
    },
    "a result before the welcome": {
      messages: [{ kind: "result", body: {} }],
      code: ErrorCode.protocolViolation,
    },
    "two welcomes": {
      messages: [
        { kind: "welcome", body: { version: 1 } },
        { kind: "welcome", body: { version: 1 } },
      ],
      code: ErrorCode.protocolViolation,
    },
    "a hello": {
      messages: [{ kind: "welcome", body: { version: 1 } }, hello],
      code: ErrorCode.protocolViolation,
    },
  };
  for (const [name, { messages, code }] of Object.entries(cases)) {
    const client = createClientSession({ agent: "test" }, 0);
    for (const message of messages) client.handleControl(encodeDelimitedControl(message), 0);
    let last = client.pollEvent();
    for (let event = last; event; event = client.pollEvent()) last = event;
    t.match(last, { type: "closed", code }, name);
  }
});

t.test("a client whose server never reads the control stream ends the session without a throw", async (t) => {
  const client = createClientSession({ agent: "test" }, 0);
  client.handleControl(encodeDelimitedControl({ kind: "welcome", body: { version: 1 } }), 0);
  for (let nowMs = 0; nowMs < 1e9 && client.state === "open"; nowMs += 1_000) client.handleTimeout(nowMs);
  t.equal(client.state, "closed");
});
