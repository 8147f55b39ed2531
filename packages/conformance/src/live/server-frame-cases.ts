import { setTimeout as sleep } from "node:timers/promises";
import { ErrorCode } from "@sluice/protocol";
import { controlItem, type RawPeer, sliceItem, Unmet } from "./raw-peer.js";
import { half, inDatagram, otherHalf, tensor, wholeFrame } from "./server-context.js";
import { type Case, closing, done, quietMs, resultOf, staysSilent, undecodable } from "./server-steps.js";

function acknowledge(peer: RawPeer, frame: number): void {
  peer.say({ kind: "resultAck", body: { stream: 1, frames: [frame] } });
}

async function sendTensorStream(peer: RawPeer, bytes: Uint8Array, end: "fin" | "reset"): Promise<void> {
  const stream = await peer.session.openUnidirectional();
  await stream.write(bytes).catch(() => {});
  if (end === "fin") await stream.finish().catch(() => {});
  else {
    // What is reset at once may never leave; the result says how much came.
    await sleep(200);
    stream.reset(ErrorCode.deadline);
  }
}

const onStream = (index: number, count: number, payload: Uint8Array) =>
  sliceItem({ stream: 1, index, count, payloadBytes: payload.length }, payload);

/** Two bytes and four signed ones, of the layout BUNDLE. */
const bundle = {
  ...{ dtype: 3, shape: [6], layout: 3 },
  parts: [
    { dtype: 3, shape: [2] },
    { dtype: 4, shape: [4] },
  ],
};

export const serverFrameCases: readonly Case[] = [
  {
    id: "5.1/frame-in-one-slice",
    shows: ["sluice/7.1/1"],
    async run({ opened }) {
      const peer = await opened();
      peer.sendDatagram(wholeFrame(0, 0));
      await resultOf(peer, 0, { outcome: done, elements: 6, concealedElements: 0, slicesReceived: 1 });
    },
  },
  {
    id: "5.1/two-slices-and-a-ping-in-one-datagram",
    shows: ["sluice/5.7/1"],
    async run({ opened }) {
      const peer = await opened();
      peer.sendDatagram(
        controlItem({ kind: "ping", body: { id: 77 } }),
        inDatagram(0, { count: 2, payloadBytes: 3 }, half),
        sliceItem({ stream: 1, index: 1, count: 2 }, otherHalf),
      );
      await peer.next("pong", ({ id }) => id === 77);
      await resultOf(peer, 0, { outcome: done, slicesReceived: 2 });
    },
  },
  {
    id: "5.1/two-tensors-in-one-datagram",
    shows: [],
    async run({ opened }) {
      const peer = await opened();
      peer.sendDatagram(
        inDatagram(0, { payloadBytes: 6 }, tensor),
        sliceItem({ stream: 1, frame: 1 }, tensor),
      );
      await resultOf(peer, 0, { outcome: done });
      await resultOf(peer, 1, { outcome: done });
    },
  },
  {
    id: "6.14/slice-across-two-tensors",
    shows: ["sluice/6.14/4"],
    async run({ opened }) {
      const peer = await opened({ spec: bundle });
      peer.sendDatagram(inDatagram(0, {}, Uint8Array.of(2, 0, 0, 0, 10, 11, 12, 13, 14, 15)));
      await resultOf(peer, 0, { outcome: done, elements: 6, concealedElements: 0, slicesReceived: 1 });
    },
  },
  {
    id: "6.14/slices-of-one-tensor",
    shows: ["sluice/6.14/4"],
    async run({ opened }) {
      const peer = await opened({ spec: bundle });
      peer.sendDatagram(inDatagram(0, { count: 3, payloadBytes: 2 }, half.subarray(0, 2)));
      await resultOf(peer, 0, { outcome: done, elements: 6, concealedElements: 4 });
    },
  },
  {
    id: "6.14/length-past-the-end",
    shows: ["sluice/6.14/5"],
    async run({ opened }) {
      const peer = await opened({ spec: bundle });
      peer.sendDatagram(inDatagram(0, {}, Uint8Array.of(7, 0, 0, 0, 10, 11, 12, 13, 14, 15)));
      await resultOf(peer, 0, { outcome: undecodable });
    },
  },
  {
    id: "5.1/empty-datagram",
    shows: [],
    async run({ opened }) {
      const peer = await opened();
      peer.sendDatagram(new Uint8Array(0));
      await peer.alive();
    },
  },
  closing("5.1/header-past-the-end", ["sluice/5.1/3"], "malformedDatagram", Uint8Array.of(10, 8, 1)),
  closing("5.1/header-is-no-message", ["sluice/5.1/3"], "malformedDatagram", Uint8Array.of(4, 8, 1, 32, 128)),
  closing("5.1/header-too-long", ["sluice/5.1/3"], "malformedDatagram", new Uint8Array(70).fill(65)),
  closing(
    "5.1/payload-past-the-end",
    ["sluice/5.1/3"],
    "malformedDatagram",
    inDatagram(0, { payloadBytes: 60 }, tensor),
  ),
  closing("5.1/message-that-is-none", ["sluice/5.1/3"], "protocolViolation", Uint8Array.of(0, 3, 0x6a, 5, 8)),
  {
    id: "5.1/reliable-stream-in-two-writes",
    shows: [],
    async run({ opened }) {
      const peer = await opened({ mode: 3 });
      const stream = await peer.session.openUnidirectional();
      const bytes = Buffer.concat([onStream(0, 2, half), onStream(1, 2, otherHalf)]);
      await stream.write(Uint8Array.from(bytes.subarray(0, 5)));
      await stream.write(Uint8Array.from(bytes.subarray(5)));
      await stream.finish();
      await resultOf(peer, 0, { outcome: done, slicesReceived: 2 });
      if (peer.heard.some(({ message, inDatagram }) => message.kind === "result" && inDatagram))
        throw new Unmet("the result of a reliable frame came in a datagram");
    },
  },
  {
    id: "5.1/stream-that-ends-inside-a-slice",
    shows: [],
    async run({ opened }) {
      const peer = await opened({ mode: 2 });
      const bytes = Buffer.concat([onStream(0, 2, half), onStream(1, 2, otherHalf)]);
      await sendTensorStream(peer, Uint8Array.from(bytes.subarray(0, bytes.length - 1)), "fin");
      await resultOf(peer, 0, { outcome: done, slicesReceived: 1, concealedElements: 3 });
    },
  },
  {
    id: "5.1/stream-that-is-reset",
    shows: [],
    async run({ opened }) {
      const peer = await opened({ mode: 2 });
      await sendTensorStream(peer, onStream(0, 2, half), "reset");
      await resultOf(peer, 0, { outcome: done, slicesReceived: 1, concealedElements: 3 });
    },
  },
  ...(
    [
      ["with-a-message", "protocolViolation", Uint8Array.of(0, 4, 0x6a, 2, 8, 5)],
      ["with-a-long-header", "protocolViolation", Uint8Array.of(65, 8, 1)],
      ["without-payload-bytes", "limitExceeded", sliceItem({ stream: 1 }, tensor)],
      [
        "over-max-tensor-bytes",
        "limitExceeded",
        sliceItem({ stream: 1, payloadBytes: 4_294_967_295 }, new Uint8Array(0)),
      ],
    ] as const
  ).map(
    ([name, code, bytes]): Case => ({
      id: `5.1/stream-${name}`,
      shows: ["sluice/5.1/6"],
      async run({ opened }) {
        const peer = await opened({ mode: 3 });
        await sendTensorStream(peer, bytes, "fin");
        await peer.closedWith(code);
      },
    }),
  ),
  closing(
    "5.2/count-above-the-units",
    ["sluice/5.2/2"],
    "sliceOutOfRange",
    inDatagram(0, { count: 7 }, half),
  ),
  closing(
    "5.2/index-not-below-the-count",
    ["sluice/5.2/2", "sluice/5.3/3"],
    "sliceOutOfRange",
    inDatagram(0, { index: 2, count: 2 }, half),
  ),
  {
    id: "5.2/slices-of-different-counts-in-any-order",
    shows: [],
    async run({ opened }) {
      const peer = await opened();
      peer.sendDatagram(inDatagram(1, { index: 3, count: 6 }, tensor.subarray(3, 4)));
      peer.sendDatagram(inDatagram(0, { index: 0, count: 2 }, half));
      peer.sendDatagram(inDatagram(2, { index: 2, count: 3 }, tensor.subarray(4)));
      await resultOf(peer, 0, { outcome: done, slicesReceived: 3, concealedElements: 0 });
    },
  },
  {
    id: "5.2/slice-twice",
    shows: [],
    async run({ opened }) {
      const peer = await opened();
      peer.sendDatagram(
        inDatagram(0, { count: 2, payloadBytes: 3 }, half),
        sliceItem({ stream: 1, count: 2, payloadBytes: 3 }, half),
        sliceItem({ stream: 1, index: 1, count: 2 }, otherHalf),
      );
      await resultOf(peer, 0, { outcome: done, slicesReceived: 2 });
    },
  },
  closing("5.3/without-sequence", ["sluice/5.3/1"], "malformedDatagram", sliceItem({ stream: 1 }, tensor)),
  closing("5.3/alias-zero", ["sluice/5.3/2"], "malformedDatagram", inDatagram(0, { stream: 0 }, tensor)),
  closing(
    "5.3/alias-too-high",
    ["sluice/5.3/2"],
    "malformedDatagram",
    inDatagram(0, { stream: 16_384 }, tensor),
  ),
  closing("5.3/count-of-0", ["sluice/5.3/3"], "sliceOutOfRange", inDatagram(0, { count: 0 }, tensor)),
  closing("5.3/unknown-stream", ["sluice/5.3/4"], "unknownStream", inDatagram(0, { stream: 2 }, tensor)),
  {
    id: "5.3/slices-of-a-rejected-stream-are-dropped",
    shows: ["sluice/5.3/4"],
    async run({ welcomed, open }) {
      const peer = await welcomed();
      peer.say(open({ codec: "zip" }));
      await peer.next("reject");
      peer.sendDatagram(wholeFrame(0, 0));
      await staysSilent(peer, 0);
    },
  },
  {
    id: "5.3/slices-of-a-closed-stream-are-dropped",
    shows: ["sluice/5.3/4"],
    async run({ opened }) {
      const peer = await opened();
      peer.say({ kind: "close", body: { stream: 1 } });
      await peer.alive();
      peer.sendDatagram(wholeFrame(0, 0));
      await staysSilent(peer, 0);
    },
  },
  {
    id: "5.5/part-of-a-frame-is-answered",
    shows: ["sluice/6.3/1"],
    async run({ opened }) {
      const peer = await opened();
      peer.sendDatagram(inDatagram(0, { count: 2 }, half));
      await resultOf(peer, 0, { outcome: done, elements: 6, concealedElements: 3, slicesReceived: 1 });
    },
  },
  {
    id: "5.5/slices-after-the-release-are-dropped",
    shows: ["sluice/5.5/1"],
    async run({ opened }) {
      const peer = await opened();
      peer.sendDatagram(inDatagram(0, { count: 2 }, half));
      await resultOf(peer, 0, { concealedElements: 3 });
      acknowledge(peer, 0);
      peer.sendDatagram(inDatagram(1, { index: 1, count: 2 }, otherHalf));
      await peer.alive();
      await sleep(quietMs);
      const answers = peer.heard.filter(({ message }) => message.kind === "result");
      if (answers.some(({ message }) => message.kind === "result" && message.body.concealedElements !== 3))
        throw new Unmet("the frame was answered a second time, with what came late");
    },
  },
  {
    id: "5.6/report-counts-and-maps-what-came",
    shows: [],
    async run({ opened }) {
      const peer = await opened();
      for (const [frame, sequence] of [0, 1, 3].entries()) peer.sendDatagram(wholeFrame(sequence, frame));
      const report = await peer.next("feedback", ({ nextSequence }) => nextSequence === 4);
      const { datagramsReceived, lost, lossRuns, received } = report;
      const figures = [Number(datagramsReceived), lost, lossRuns, received[0]].join(", ");
      if (figures !== "3, 1, 1, 13")
        throw new Unmet(`datagrams, lost, runs, map are ${figures}, not 3, 1, 1, 13`);
    },
  },
  {
    id: "5.7/server-pings",
    shows: [],
    async run({ welcomed }) {
      await (await welcomed()).next("ping");
    },
  },
  {
    id: "5.8/repair-symbols-without-error-correction-are-dropped",
    shows: ["sluice/5.8/2"],
    async run({ opened }) {
      const peer = await opened();
      peer.sendDatagram(inDatagram(0, { repair: 0 }, tensor));
      await staysSilent(peer, 0);
      peer.sendDatagram(wholeFrame(1, 1));
      await resultOf(peer, 1, { outcome: done, slicesReceived: 1 });
    },
  },
  {
    id: "6.3/payload-of-the-wrong-length-counts-as-lost",
    shows: ["sluice/6.3/1", "sluice/6.1/1"],
    async run({ opened }) {
      const peer = await opened();
      peer.sendDatagram(
        inDatagram(0, { count: 2, payloadBytes: 2 }, half.subarray(0, 2)),
        sliceItem({ stream: 1, index: 1, count: 2 }, otherHalf),
      );
      await resultOf(peer, 0, { outcome: done, concealedElements: 3 });
    },
  },
  {
    id: "6.3/nothing-decodes",
    shows: ["sluice/6.3/1"],
    async run({ opened }) {
      const peer = await opened();
      peer.sendDatagram(inDatagram(0, {}, half));
      await resultOf(peer, 0, { outcome: undecodable, code: ErrorCode.nothingDecodable });
    },
  },
  {
    id: "7.1/result-is-repeated-until-it-is-acknowledged",
    shows: ["sluice/7.1/1"],
    async run({ opened }) {
      const peer = await opened();
      peer.sendDatagram(wholeFrame(0, 0));
      await resultOf(peer, 0, { outcome: done });
      await resultOf(peer, 0, { outcome: done });
      acknowledge(peer, 0);
      await peer.alive();
      await sleep(50);
      const before = peer.heard.length;
      await sleep(quietMs);
      if (peer.heard.slice(before).some(({ message }) => message.kind === "result"))
        throw new Unmet("it was repeated after its acknowledgement");
    },
  },
  {
    id: "7.2/payload-is-there",
    shows: [],
    async run({ opened }) {
      const peer = await opened();
      peer.sendDatagram(wholeFrame(0, 0));
      const { payload } = await peer.next("result");
      if (payload.length === 0) throw new Unmet("a result that is DONE has no payload");
    },
  },
];
