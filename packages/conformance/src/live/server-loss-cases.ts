import { ErrorCode } from "@sluice/protocol";
import { encodeRepairPayload, encodeSourceSymbol, reedSolomon } from "@sluice/protocol/wire";
import { controlItem, type RawPeer, sliceItem, Unmet } from "./raw-peer.js";
import { half, inDatagram, otherHalf, tensor, wholeFrame } from "./server-context.js";
import { type Case, done, resultOf, staysSilent, undecodable } from "./server-steps.js";

const withFec = { fec: "rs:max=100,span=8" };

/** Repair symbols over datagrams whose numbers begin with `firstSequence`, the first of them in the datagram `sequence`. */
function repairDatagrams(
  datagrams: readonly Uint8Array[],
  rows: readonly number[],
  { firstSequence, sequence, frame }: { firstSequence: number; sequence: number; frame: number },
): Uint8Array[] {
  const symbols = datagrams.map(encodeSourceSymbol);
  const bytes = Math.max(...symbols.map(({ length }) => length));
  const offsets = datagrams.map((_, i) => i);
  return reedSolomon.encode(symbols, rows, bytes).map((parity, i) => {
    const repair = sequence + i - firstSequence;
    const place = { frame, index: rows[i]!, count: rows.at(-1)! + 1, repair };
    return inDatagram(sequence + i, place, encodeRepairPayload({ offsets, parity }));
  });
}

/** A frame in two datagrams, the numbers 0 and 1, and its symbols of the rows 0 and 1, the numbers 2 and 3. */
function twoHalves() {
  const sources = [inDatagram(0, { count: 2 }, half), inDatagram(1, { index: 1, count: 2 }, otherHalf)];
  const repairs = repairDatagrams(sources, [0, 1], { firstSequence: 0, sequence: 2, frame: 0 });
  return { sources, repairs };
}

/** Datagrams of which some come, and what the result of frame 0 then says. */
function recovers(
  id: string,
  shows: readonly string[],
  fec: string,
  datagrams: () => readonly Uint8Array[],
  wanted: Record<string, number>,
): Case {
  return {
    ...{ id, shows },
    async run({ opened }) {
      const peer = await opened({ fec });
      for (const datagram of datagrams()) peer.sendDatagram(datagram);
      await resultOf(peer, 0, { outcome: done, ...wanted });
    },
  };
}

const whole = { elements: 6, concealedElements: 0 };

/** A session ends with `malformedDatagram` where a repair symbol of the datagram 1 is so. */
function malformed(name: string, payload: readonly number[], repair = 1): Case {
  return {
    id: `5.8/repair-${name}`,
    shows: ["sluice/5.8/5"],
    async run({ opened }) {
      const peer = await opened(withFec);
      peer.sendDatagram(wholeFrame(0, 0));
      peer.sendDatagram(inDatagram(1, { repair }, Uint8Array.from(payload)));
      await peer.closedWith("malformedDatagram");
    },
  };
}

async function answersNext(peer: RawPeer, sequence: number, frame: number): Promise<void> {
  peer.sendDatagram(wholeFrame(sequence, frame));
  await resultOf(peer, frame, { outcome: done, ...whole });
}

/** Symbols over a datagram that never was. */
function lying(name: string, datagram: Uint8Array): Case {
  return {
    id: `5.8/recovers-nothing-from-${name}`,
    shows: ["sluice/5.8/7"],
    async run({ opened }) {
      const peer = await opened(withFec);
      const place = { firstSequence: 0, sequence: 1, frame: 0 };
      for (const repair of repairDatagrams([datagram], [0], place)) peer.sendDatagram(repair);
      await staysSilent(peer, 0);
      await answersNext(peer, 2, 1);
    },
  };
}

/** Of a stream with forward error correction, and of interleaved ones (spec 5.8). */
export const serverLossCases: readonly Case[] = [
  recovers(
    "5.8/a-lost-datagram-is-recovered",
    ["sluice/5.8/4", "sluice/5.8/6"],
    "rs",
    () => {
      const { sources, repairs } = twoHalves();
      return [sources[1]!, repairs[0]!];
    },
    { ...whole, slicesReceived: 1, slicesRecovered: 1 },
  ),
  recovers(
    "5.8/all-datagrams-of-a-frame-are-recovered",
    ["sluice/5.8/4", "sluice/5.8/6"],
    "rs",
    () => twoHalves().repairs,
    { ...whole, slicesReceived: 0, slicesRecovered: 2 },
  ),
  recovers(
    "5.8/xor-recovers",
    ["sluice/5.8/4"],
    "xor",
    () => {
      const { sources, repairs } = twoHalves();
      return [sources[0]!, repairs[0]!];
    },
    { ...whole, slicesRecovered: 1 },
  ),
  recovers(
    "5.8/symbols-that-come-twice-or-for-nothing-are-dropped",
    ["sluice/5.8/7"],
    "rs",
    () => {
      const { sources, repairs } = twoHalves();
      return [repairs[0]!, repairs[0]!, sources[0]!, sources[0]!, repairs[1]!, sources[1]!];
    },
    { ...whole, slicesReceived: 1, slicesRecovered: 1 },
  ),
  {
    id: "5.8/a-group-over-two-frames-is-recovered",
    shows: ["sluice/5.8/4", "sluice/5.8/6"],
    async run({ opened }) {
      const peer = await opened(withFec);
      const sources = [wholeFrame(0, 0), wholeFrame(1, 1), wholeFrame(2, 2)];
      const repairs = repairDatagrams(sources, [0, 1], { firstSequence: 0, sequence: 3, frame: 2 });
      for (const datagram of [sources[1]!, ...repairs]) peer.sendDatagram(datagram);
      for (const frame of [0, 1, 2]) await resultOf(peer, frame, { outcome: done, ...whole });
    },
  },
  {
    id: "5.8/a-recovered-datagram-counts-as-lost-and-its-messages-are-ignored",
    shows: ["sluice/5.8/6"],
    async run({ opened }) {
      const peer = await opened(withFec);
      const ping = controlItem({ kind: "ping", body: { id: 4_711 } });
      const lost = Uint8Array.from(Buffer.concat([ping, wholeFrame(0, 0)]));
      const place = { firstSequence: 0, sequence: 1, frame: 0 };
      for (const repair of repairDatagrams([lost], [0], place)) peer.sendDatagram(repair);
      await resultOf(peer, 0, { outcome: done, ...whole, slicesReceived: 0, slicesRecovered: 1 });
      await peer.next("feedback", ({ nextSequence, lost }) => nextSequence === 2 && lost === 1);
      await peer.alive();
      const isAnswered = ({ message }: RawPeer["heard"][number]) =>
        message.kind === "pong" && message.body.id === 4_711;
      if (peer.heard.some(isAnswered)) throw new Unmet("a ping in a recovered datagram was answered");
    },
  },
  malformed("without-a-map", [0, 3, 0, 8, 1]),
  malformed("with-a-map-that-begins-with-0", [1, 2, 3, 0, 8, 1, 0]),
  malformed("with-a-map-that-ends-with-0", [2, 1, 0, 3, 0, 8, 1]),
  malformed("with-a-map-of-33-bytes", [33, ...Array<number>(33).fill(1), 3, 0, 8]),
  malformed("with-more-sources-than-there-may-be", [17, ...Array<number>(17).fill(255), 3, 0, 8], 2_048),
  malformed("with-a-symbol-of-two-bytes", [1, 1, 3, 0]),
  malformed("over-itself", [1, 3, 3, 0, 8, 1, 0]),
  malformed("from-too-far", [1, 1, 3, 0, 8, 1, 0], 2_049),
  lying("what-is-no-datagram", Uint8Array.of(60, 8, 1)),
  lying("another-sequence", wholeFrame(5, 0)),
  lying("no-slice-of-the-stream", controlItem({ kind: "ping", body: { id: 1 } })),
  {
    id: "5.8/symbols-of-one-group-that-differ-in-length-are-dropped",
    shows: ["sluice/5.8/7"],
    async run({ opened }) {
      const peer = await opened(withFec);
      const { sources, repairs } = twoHalves();
      const short = encodeRepairPayload({ offsets: [0, 1], parity: Uint8Array.of(3, 0, 8, 1) });
      peer.sendDatagram(repairs[0]!);
      peer.sendDatagram(inDatagram(3, { index: 1, count: 2, repair: 3 }, short));
      peer.sendDatagram(sources[0]!);
      await resultOf(peer, 0, { outcome: done, ...whole, slicesRecovered: 1 });
    },
  },
  {
    id: "5.8/a-recovered-slice-that-does-not-decode-is-not-guessed",
    shows: ["sluice/5.8/6", "sluice/6.3/1"],
    async run({ opened }) {
      const peer = await opened(withFec);
      const place = { firstSequence: 0, sequence: 1, frame: 0 };
      for (const repair of repairDatagrams([inDatagram(0, {}, half)], [0], place)) peer.sendDatagram(repair);
      await resultOf(peer, 0, { outcome: undecodable, code: ErrorCode.nothingDecodable });
    },
  },
  {
    id: "5.8/datagrams-that-are-replayed-change-nothing",
    shows: ["sluice/5.5/1", "sluice/5.8/7"],
    async run({ opened }) {
      const peer = await opened(withFec);
      const { sources, repairs } = twoHalves();
      const datagrams = [sources[1]!, ...repairs];
      for (const datagram of datagrams) peer.sendDatagram(datagram);
      await resultOf(peer, 0, { outcome: done, ...whole, slicesReceived: 1, slicesRecovered: 1 });
      peer.say({ kind: "resultAck", body: { stream: 1, frames: [0] } });
      await answersNext(peer, 4, 1);
      const before = peer.heard.length;
      for (const datagram of [...datagrams, ...sources]) peer.sendDatagram(datagram);
      await peer.alive();
      await answersNext(peer, 5, 2);
      const isAgain = ({ message }: RawPeer["heard"][number]) =>
        message.kind === "result" && message.body.frame === 0 && message.body.slicesReceived !== 1;
      if (peer.heard.slice(before).some(isAgain)) throw new Unmet("a replayed frame was answered anew");
    },
  },
  {
    id: "5.8/interleaved-slices-are-the-same-tensor",
    shows: ["sluice/5.8/9"],
    async run({ opened, open }) {
      const peer = await opened();
      peer.sendDatagram(wholeFrame(0, 0));
      const plain = await peer.next("result", ({ stream }) => stream === 1);
      // Dealt places of a row of six.
      const orders = {
        checkerboard: [0, 4, 2, 1, 5, 3],
        "pseudo-random:seed=1": [2, 0, 5, 4, 1, 3],
        "channel-strided": [0, 1, 2, 3, 4, 5],
      };
      for (const [i, [interleave, places]] of Object.entries(orders).entries()) {
        const stream = i + 2;
        peer.say(open({ stream, interleave }));
        await peer.next("accept", (body) => body.stream === stream);
        const dealt = Uint8Array.from(places, (place) => tensor[place]!);
        peer.sendDatagram(
          inDatagram(2 * i + 1, { stream, count: 2, payloadBytes: 3 }, dealt.subarray(0, 3)),
          sliceItem({ stream, index: 1, count: 2 }, dealt.subarray(3)),
        );
        const result = await peer.next("result", (body) => body.stream === stream);
        if (result.outcome !== done || Buffer.compare(result.payload, plain.payload) !== 0)
          throw new Unmet(`${interleave}: another answer than to the same tensor without it`);
      }
    },
  },
];
