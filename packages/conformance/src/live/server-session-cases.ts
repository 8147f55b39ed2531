import { ErrorCode } from "@sluice/protocol";
import { type ControlName, encodeDelimitedControl, type OutgoingControl } from "@sluice/protocol/wire";
import type { LiveCase } from "./live-case.js";
import { controlItem, Unmet } from "./raw-peer.js";
import { type OpenFields, type ServerContext, wholeFrame } from "./server-context.js";

type Case = LiveCase<ServerContext>;

const fromServer: readonly OutgoingControl[] = [
  { kind: "welcome", body: { version: 1 } },
  { kind: "accept", body: { stream: 1 } },
  { kind: "reject", body: { stream: 1, code: 10 } },
  { kind: "limits", body: { maxStreams: 1 } },
  { kind: "feedback", body: { datagramsReceived: 1 } },
  { kind: "result", body: { stream: 1, outcome: 1 } },
];
const ping = (id: number): OutgoingControl => ({ kind: "ping", body: { id } });

/** A stream that must be rejected with a code, after which the session goes on. */
function refusal(name: string, code: keyof typeof ErrorCode, fields: OpenFields): Case {
  return {
    id: `4.3/refuses-${name}`,
    shows: ["sluice/4.3/2"],
    async run({ welcomed, open }) {
      const peer = await welcomed();
      peer.say(open(fields));
      const { stream, code: got } = await peer.next("reject");
      if (stream !== 1 || got !== ErrorCode[code])
        throw new Unmet(`stream ${stream} was rejected with ${got}, not stream 1 with ${ErrorCode[code]}`);
      peer.say(open({ stream: 2 }));
      await peer.next("accept", ({ stream }) => stream === 2);
    },
  };
}

function closing(
  id: string,
  shows: readonly string[],
  code: keyof typeof ErrorCode,
  begin: "raw" | "welcomed" | "opened",
  say: (context: ServerContext) => readonly OutgoingControl[],
): Case {
  return {
    id,
    shows,
    async run(context) {
      const peer = await context[begin]();
      peer.say(...say(context));
      await peer.closedWith(code);
    },
  };
}

export const serverSessionCases: readonly Case[] = [
  {
    id: "2.2/welcome",
    shows: ["sluice/2.2/2"],
    async run({ raw, hello }) {
      const peer = await raw();
      peer.say(hello);
      const { version } = await peer.next("welcome");
      if (version !== 1) throw new Unmet(`the server chose version ${version}`);
      await peer.alive();
    },
  },
  {
    id: "2.2/second-bidirectional-stream-is-refused",
    shows: ["sluice/2.2/1"],
    async run({ welcomed }) {
      const peer = await welcomed();
      const second = await peer.session.openBidirectional();
      await second.send.write(Uint8Array.of(0)).catch(() => {});
      const end = await second.receive.read().then(
        (chunk) => (chunk ? "bytes" : "the end"),
        (error: { code?: number }) => error.code,
      );
      if (end !== ErrorCode.protocolViolation)
        throw new Unmet(`the second bidirectional stream brought ${end}, not a reset with protocolViolation`);
      await peer.alive();
    },
  },
  closing("2.2/no-common-version", ["sluice/2.2/3"], "unsupportedVersion", "raw", () => [
    { kind: "hello", body: { versions: [4_000_000] } },
  ]),
  {
    id: "2.2/picks-its-version-among-others",
    shows: ["sluice/2.2/3"],
    async run({ raw, hello }) {
      const peer = await raw();
      peer.say({ kind: "hello", body: { ...hello.body, versions: [4_000_000, 1] } as never });
      await peer.next("welcome", ({ version }) => version === 1);
    },
  },
  {
    id: "2.2/no-hello",
    shows: ["sluice/2.2/4"],
    async run({ raw }) {
      await (await raw()).closedWith("handshakeTimeout");
    },
  },
  closing("2.2/second-hello", ["sluice/2.2/5"], "protocolViolation", "welcomed", ({ hello }) => [hello]),
  closing("2.2/open-before-hello", ["sluice/2.2/5"], "protocolViolation", "raw", ({ open }) => [open()]),
  closing("2.2/ping-before-hello", ["sluice/2.2/5"], "protocolViolation", "raw", () => [ping(1)]),
  {
    id: "2.2/datagrams-before-hello-are-ignored",
    shows: ["sluice/2.2/6"],
    async run({ raw, hello }) {
      const peer = await raw();
      peer.sendDatagram(controlItem(ping(5)));
      peer.sendDatagram(wholeFrame(0, 0));
      peer.say(hello);
      await peer.next("welcome");
      await peer.alive();
    },
  },
  {
    id: "2.4/drain-from-a-client-is-ignored",
    shows: [],
    async run({ welcomed }) {
      const peer = await welcomed();
      peer.say({ kind: "drain", body: { code: ErrorCode.shutdown } });
      await peer.alive();
    },
  },
  {
    id: "4.1/byte-by-byte",
    shows: [],
    async run({ raw, hello }) {
      const peer = await raw();
      for (const byte of encodeDelimitedControl(hello)) peer.sayBytes(Uint8Array.of(byte));
      await peer.next("welcome");
    },
  },
  {
    id: "4.1/unknown-kinds-and-fields-are-ignored",
    shows: ["sluice/4.1/2"],
    async run({ welcomed }) {
      const peer = await welcomed();
      peer.sayBytes(Uint8Array.of(5, 0xfa, 1, 2, 8, 1));
      peer.sayBytes(Uint8Array.of(0));
      peer.sayBytes(Uint8Array.of(9, 0x6a, 7, 8, 5, 0xfa, 1, 2, 0xaa, 0xbb));
      await peer.next("pong", ({ id }) => id === 5);
    },
  },
  ...(
    [
      ["length-over-the-limit", [0x81, 0x80, 4]],
      ["length-that-is-no-varint", [0xff, 0xff, 0xff, 0xff, 0x7f]],
      ["bytes-that-are-no-message", [3, 0x6a, 5, 8]],
    ] as const
  ).map(
    ([name, bytes]): Case => ({
      id: `4.1/${name}`,
      shows: ["sluice/4.1/1"],
      async run({ welcomed }) {
        const peer = await welcomed();
        peer.sayBytes(Uint8Array.from(bytes));
        await peer.closedWith("protocolViolation");
      },
    }),
  ),
  ...fromServer.map((message) =>
    closing(`4.1/${message.kind}-from-a-client`, ["sluice/4.1/3"], "protocolViolation", "welcomed", () => [
      message,
    ]),
  ),
  closing("4.2/too-many-versions", ["sluice/4.2/1"], "limitExceeded", "raw", () => [
    { kind: "hello", body: { versions: Array<number>(65).fill(1) } },
  ]),
  closing("4.2/too-many-capabilities", ["sluice/4.2/1"], "limitExceeded", "raw", () => [
    { kind: "hello", body: { versions: [1], capabilities: Array<string>(65).fill("x") } },
  ]),
  closing("4.2/token-too-long", ["sluice/4.2/1"], "limitExceeded", "raw", () => [
    { kind: "hello", body: { versions: [1], token: new Uint8Array(4_097) } },
  ]),
  {
    id: "4.2/unknown-capabilities-are-ignored",
    shows: ["sluice/4.2/2"],
    async run({ raw, hello }) {
      const peer = await raw();
      peer.say({ kind: "hello", body: { ...hello.body, capabilities: ["x-nobody-knows"] } as never });
      const { capabilities } = await peer.next("welcome");
      if (capabilities.includes("x-nobody-knows")) throw new Unmet("the server can what nobody knows");
      await peer.alive();
    },
  },
  closing("4.3/alias-used-before", ["sluice/4.3/1"], "protocolViolation", "opened", ({ open }) => [open()]),
  closing("4.3/alias-below-another", ["sluice/4.3/1"], "protocolViolation", "opened", ({ open }) => [
    open({ stream: 5 }),
    open({ stream: 4 }),
  ]),
  closing("4.3/alias-zero", ["sluice/4.3/1"], "protocolViolation", "welcomed", ({ open }) => [
    open({ stream: 0 }),
  ]),
  closing("4.3/alias-too-high", ["sluice/4.3/1"], "protocolViolation", "welcomed", ({ open }) => [
    open({ stream: 16_384 }),
  ]),
  closing("4.3/alias-of-a-rejected-stream", ["sluice/4.3/1"], "protocolViolation", "welcomed", ({ open }) => [
    open({ codec: "zip" }),
    open(),
  ]),
  refusal("an-unknown-model", "unknownModel", { model: "x-nobody-serves-this" }),
  refusal("an-unknown-codec", "unknownCodec", { codec: "zip" }),
  refusal("a-codec-without-its-statistics", "unknownCodec", {
    codec: "quantize:levels=7,clip=3,per=channel",
  }),
  refusal("unknown-statistics", "statisticsMismatch", { statisticsHash: new Uint8Array(32).fill(9) }),
  refusal("a-mode-of-0", "specMismatch", { mode: 0 }),
  refusal("an-unknown-mode", "specMismatch", { mode: 9 as never }),
  refusal("an-unknown-dtype", "specMismatch", { spec: { dtype: 9 as never, shape: [6] } }),
  refusal("an-unknown-layout", "specMismatch", { spec: { dtype: 3, shape: [1, 2, 3], layout: 9 as never } }),
  refusal("a-bundle-of-other-tensors", "specMismatch", {
    spec: { dtype: 3, shape: [7], layout: 3, parts: [1, 2].map(() => ({ dtype: 3, shape: [3] })) },
  }),
  refusal("an-axis-of-0", "specMismatch", { spec: { dtype: 3, shape: [0] } }),
  refusal("nine-axes", "specMismatch", { spec: { dtype: 3, shape: [1, 1, 1, 1, 1, 1, 1, 1, 6] } }),
  refusal("a-deadline-of-0", "specMismatch", { deadlineMs: 0 }),
  refusal("a-long-name", "specMismatch", { model: "m".repeat(1_025) }),
  refusal("an-unknown-concealment", "specMismatch", { concealment: "guess" }),
  refusal("a-concealment-without-its-statistics", "statisticsMismatch", { concealment: "data-set-mean" }),
  refusal("unknown-error-correction", "unknownFec", { fec: "x-nobody-knows" }),
  refusal("error-correction-out-of-range", "unknownFec", { fec: "rs:max=101" }),
  refusal("error-correction-of-a-quic-stream", "unknownFec", { fec: "rs", mode: 2 }),
  refusal("an-interleaving-that-tears-channels-apart", "unknownInterleaving", {
    ...{ codec: "integers | tile | jpeg", interleave: "checkerboard" },
  }),
  refusal("an-unknown-interleaving", "unknownInterleaving", { interleave: "x-nobody-knows" }),
  refusal("an-urgency-of-8", "specMismatch", { urgency: 8 }),
  refusal("a-share-of-101-percent", "specMismatch", { minReceivedPercent: 101 }),
  {
    id: "4.3/refuses-a-tensor-over-the-announced-elements",
    shows: ["sluice/4.3/2"],
    async run({ raw, hello, open }) {
      const peer = await raw();
      peer.say(hello);
      const elements = (await peer.next("welcome")).limits?.maxTensorElements ?? 0;
      if (elements === 0) return;
      peer.say(open({ spec: { dtype: 3, shape: [elements + 1] } }));
      const { code } = await peer.next("reject");
      if (code !== ErrorCode.tensorTooLarge)
        throw new Unmet(`rejected with ${code}, not with tensorTooLarge`);
    },
  },
  {
    id: "4.3/refuses-more-streams-than-announced",
    shows: ["sluice/4.3/2"],
    async run({ raw, hello, open }) {
      const peer = await raw();
      peer.say(hello);
      const most = (await peer.next("welcome")).limits?.maxStreams ?? 0;
      if (most === 0 || most > 2_000) return;
      for (let stream = 1; stream <= most + 1; stream++) peer.say(open({ stream }));
      const { stream, code } = await peer.next("reject");
      if (stream !== most + 1 || code !== ErrorCode.limitExceeded)
        throw new Unmet(`stream ${stream} was rejected with ${code}, not ${most + 1} with limitExceeded`);
    },
  },
  {
    id: "4.3/close-of-a-stream-that-is-gone-is-ignored",
    shows: ["sluice/4.3/3"],
    async run({ opened }) {
      const peer = await opened();
      peer.say({ kind: "close", body: { stream: 1 } }, { kind: "close", body: { stream: 1 } });
      await peer.alive();
    },
  },
  closing("4.3/close-of-a-stream-never-opened", [], "unknownStream", "welcomed", () => [
    { kind: "close", body: { stream: 9 } },
  ]),
  ...(["hello", "open", "close", "drain", "error"] as const satisfies readonly ControlName[]).map(
    (kind): Case => ({
      id: `5.4/${kind}-in-a-datagram`,
      shows: ["sluice/5.4/1"],
      async run({ welcomed }) {
        const peer = await welcomed();
        peer.sendDatagram(controlItem({ kind, body: {} } as OutgoingControl));
        await peer.closedWith("protocolViolation");
      },
    }),
  ),
  {
    id: "5.7/ping-on-the-control-stream",
    shows: ["sluice/5.7/1"],
    async run({ welcomed }) {
      const peer = await welcomed();
      peer.say(ping(4_294_967_295));
      await peer.next("pong", ({ id }) => id === 4_294_967_295);
    },
  },
  {
    id: "5.7/pong-that-nobody-waits-for",
    shows: [],
    async run({ welcomed }) {
      const peer = await welcomed();
      peer.say({ kind: "pong", body: { id: 4_000_000_000 } });
      await peer.alive();
    },
  },
  {
    id: "8/one-session-does-not-touch-another",
    shows: ["sluice/8/1"],
    async run({ opened, welcomed, hello }) {
      const good = await opened();
      const bad = await welcomed();
      bad.say(hello);
      await bad.closedWith("protocolViolation");
      good.sendDatagram(wholeFrame(0, 0));
      await good.next("result", ({ frame }) => frame === 0);
    },
  },
];
