import { createClientSession, ErrorCode } from "@sluice/protocol";
import t from "tap";
import { encodeDelimitedControl, type OutgoingControl } from "#src/control-message.js";
import { encodeSliceItem } from "#src/datagram.js";
import { handshakeTimeoutMs } from "#src/limits.js";
import { encodeTensor } from "#src/tensor-framing.js";
import { openStreamToWire } from "#src/tensor-stream.js";
import { createOpenVictim, createVictim, hello, type Victim } from "./victim.js";
import { streamOptions } from "./virtual-session.js";

const half = { index: 0, count: 2, payload: new Uint8Array(1) };

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
  "a slice of a datagram stream on a QUIC stream": {
    ...{ code: ErrorCode.protocolViolation, message: /stream 1, of mode datagram, on a QUIC stream/ },
    commit: (v) => v.stream(1, encodeTensor(1, 0, [{ index: 0, count: 1, payload: new Uint8Array(1) }], 0)),
  },
  "a slice of a reliable stream in a datagram": {
    ...{ code: ErrorCode.protocolViolation, message: /stream 2, of mode reliable, in a datagram/ },
    commit(victim) {
      victim.open({ mode: "reliable" }, 2);
      victim.send({ stream: 2 });
    },
  },
  "two frames on one QUIC stream": {
    ...{ code: ErrorCode.protocolViolation, message: /frame 2\/1 behind one of 2\/0/ },
    commit(victim) {
      victim.open({ mode: "stream" }, 2);
      for (const frame of [0, 1]) victim.stream(1, encodeTensor(2, frame, [half], 0));
    },
  },
  "frames of two streams on one QUIC stream, in one piece": {
    ...{ code: ErrorCode.protocolViolation, message: /frame 3\/0 behind one of 2\/0/ },
    commit(victim) {
      victim.open({ mode: "stream" }, 2);
      victim.open({ mode: "stream" }, 3);
      victim.stream(1, Buffer.concat([2, 3].map((stream) => encodeTensor(stream, 0, [half], 0))));
    },
  },
  "a datagram's sequence on a QUIC stream": {
    ...{ code: ErrorCode.protocolViolation, message: /sequence/ },
    commit(victim) {
      victim.open({ mode: "stream" }, 2);
      const bytes = new Uint8Array(30);
      const header = { stream: 2, frame: 0, index: 0, count: 2, ageMs: 0, payloadBytes: 1, sequence: 0 };
      victim.stream(1, bytes.slice(0, encodeSliceItem(bytes, 0, header, new Uint8Array(1))));
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
  let last = client.pollEvent();
  for (let nowMs = 0; nowMs < 1e9 && client.state === "open"; nowMs += 1_000) {
    client.handleControl(encodeDelimitedControl({ kind: "pong", body: { id: 0 } }), nowMs);
    client.handleTimeout(nowMs);
    last = client.pollEvent() ?? last;
  }
  t.match(last, { type: "closed", code: ErrorCode.overloaded });
});
