import { setTimeout as sleep } from "node:timers/promises";
import type { ErrorCode } from "@sluice/protocol";
import { maxAgeMs, type OutgoingControl } from "@sluice/protocol/wire";
import { type ClientContext, doneResult, framesOf, nextFrame } from "./client-context.js";
import { clientLargeCases } from "./client-large-cases.js";
import type { LiveCase } from "./live-case.js";
import { type MessageOf, type RawPeer, sliceItem, Unmet } from "./raw-peer.js";

type Case = LiveCase<ClientContext>;

/** Long enough for a client that streams to do what it must not; nothing fails because it is too short. */
const watchMs = 700;

function closing(
  id: string,
  shows: readonly string[],
  code: keyof typeof ErrorCode,
  begin: "raw" | "welcomed",
  ...messages: readonly OutgoingControl[]
): Case {
  return {
    id,
    shows,
    async run(context) {
      const peer = await context[begin]();
      if (begin === "raw") await peer.next("hello");
      peer.say(...messages);
      await peer.closedWith(code);
    },
  };
}

const welcome: OutgoingControl = { kind: "welcome", body: { version: 1, agent: "conformance" } };

/** What no slice of any client may look like (spec 5.1 to 5.3), and no repair symbol (5.8). */
function checkSlices(peer: RawPeer, { stream, fec }: MessageOf<"open">["body"], units: number): void {
  if (peer.broken) throw new Unmet(`bytes that cannot be read: ${peer.broken}`);
  const sequences: number[] = [];
  for (const { header, place, streamNumber, payload } of peer.slices) {
    const what = `slice ${header.index}/${header.count} of frame ${header.frame}`;
    if (header.stream !== stream) throw new Unmet(`${what}: of stream ${header.stream}, not ${stream}`);
    const isRepair = header.repair !== undefined;
    if (isRepair && fec === "") throw new Unmet(`${what}: a repair symbol, which the stream did not ask for`);
    if (isRepair && header.repair! > (header.sequence ?? 0))
      throw new Unmet(`${what}: protects what is before the first datagram`);
    if (header.count > units && !isRepair) throw new Unmet(`${what}: more slices than the ${units} units`);
    if (header.ageMs > maxAgeMs) throw new Unmet(`${what}: an age of ${header.ageMs} ms`);
    if (payload.length === 0) throw new Unmet(`${what}: an empty payload`);
    const shouldBeNumbered = place === 0;
    if ((header.sequence !== undefined) !== shouldBeNumbered)
      throw new Unmet(`${what}: sequence ${header.sequence} at place ${place ?? "of a stream"}`);
    if (header.sequence !== undefined) sequences.push(header.sequence);
    if (streamNumber !== undefined && header.payloadBytes === undefined)
      throw new Unmet(`${what}: no payload_bytes on a stream`);
  }
  if (new Set(sequences).size !== sequences.length) throw new Unmet("a sequence was used twice");
}

/** Units of a frame that have come, and how many came twice. */
function cover(peer: RawPeer, frame: number, units: number): { covered: number; twice: number } {
  const seen = new Uint8Array(units);
  let twice = 0;
  for (const { header } of peer.slices) {
    if (header.frame !== frame || header.repair !== undefined) continue;
    const first = Math.floor((header.index * units) / header.count);
    const end = Math.floor(((header.index + 1) * units) / header.count);
    for (let unit = first; unit < end; unit++) {
      if (seen[unit] === 1) twice++;
      seen[unit] = 1;
    }
  }
  return { covered: seen.reduce((sum, one) => sum + one, 0), twice };
}

function acknowledged(peer: RawPeer, stream: number, frame: number): number {
  return peer.heard.filter(
    ({ message }) =>
      message.kind === "resultAck" && message.body.stream === stream && message.body.frames.includes(frame),
  ).length;
}

/** Answers every frame as it comes, until the case is over. */
function answerAll(peer: RawPeer, stream: number): () => void {
  const answered = new Set<number>();
  const timer = setInterval(() => {
    for (const frame of framesOf(peer.slices)) {
      if (answered.has(frame)) continue;
      answered.add(frame);
      peer.say(doneResult(stream, frame));
    }
  }, 5);
  return () => clearInterval(timer);
}

export const clientCases: readonly Case[] = [
  ...clientLargeCases,
  {
    id: "2.2/hello-comes-first",
    shows: ["sluice/2.2/1", "sluice/2.2/2"],
    async run({ raw }) {
      const peer = await raw();
      const { versions } = await peer.next("hello");
      if (peer.heard[0]?.message.kind !== "hello")
        throw new Unmet(`${peer.heard[0]?.message.kind} came first`);
      if (!versions.includes(1)) throw new Unmet(`versions ${versions.join(", ")} without 1`);
      await sleep(watchMs);
      if (peer.heard.length > 1)
        throw new Unmet(`${peer.heard[1]?.message.kind} came before the answer to hello`);
    },
  },
  closing("2.2/another-version", ["sluice/2.2/7"], "unsupportedVersion", "raw", {
    kind: "welcome",
    body: { version: 4_000_000 },
  }),
  closing("2.2/second-welcome", ["sluice/2.2/5"], "protocolViolation", "welcomed", welcome),
  closing("2.2/accept-before-welcome", ["sluice/2.2/5"], "protocolViolation", "raw", {
    kind: "accept",
    body: { stream: 1 },
  }),
  {
    id: "2.2/no-welcome",
    shows: ["sluice/2.2/4"],
    async run({ raw }) {
      await (await raw()).closedWith("handshakeTimeout");
    },
  },
  {
    id: "2.4/drain-means-no-new-frames",
    shows: ["sluice/2.4/1"],
    async run({ accepted }) {
      const { peer, open } = await accepted();
      const stop = answerAll(peer, open.stream);
      await nextFrame(peer);
      peer.say({ kind: "drain", body: { code: 16, reason: "conformance" } });
      // Frames that were begun before it came may still be on their way, or be worked on.
      await sleep(1_500);
      const before = framesOf(peer.slices);
      await sleep(watchMs);
      stop();
      const late = framesOf(peer.slices).filter((frame) => !before.includes(frame));
      if (late.length > 0) throw new Unmet(`frames ${late.join(", ")} began after the drain`);
    },
  },
  {
    id: "3.1/waits-for-the-acceptance",
    shows: ["sluice/3.1/1"],
    async run({ welcomed }) {
      const peer = await welcomed();
      const { stream } = await peer.next("open");
      await sleep(watchMs);
      if (peer.slices.length > 0) throw new Unmet("slices came before the stream was accepted");
      peer.say({ kind: "accept", body: { stream, concealment: "zero" } });
      await nextFrame(peer);
    },
  },
  {
    id: "4.1/unknown-kinds-are-ignored",
    shows: ["sluice/4.1/2"],
    async run({ accepted }) {
      const { peer } = await accepted();
      peer.sayBytes(Uint8Array.of(5, 0xfa, 1, 2, 8, 1, 0));
      await peer.alive();
    },
  },
  {
    id: "4.1/bytes-that-are-no-message",
    shows: ["sluice/4.1/1"],
    async run({ welcomed }) {
      const peer = await welcomed();
      peer.sayBytes(Uint8Array.of(3, 0x6a, 5, 8));
      await peer.closedWith("protocolViolation");
    },
  },
  ...(
    [
      { kind: "hello", body: { versions: [1] } },
      { kind: "open", body: { stream: 1 } },
      { kind: "close", body: { stream: 1 } },
      { kind: "resultAck", body: { stream: 1, frames: [0] } },
    ] as const
  ).map((message) =>
    closing(
      `4.1/${message.kind}-from-a-server`,
      ["sluice/4.1/3"],
      "protocolViolation",
      "welcomed",
      message as OutgoingControl,
    ),
  ),
  {
    id: "4.3/rejected-stream-sends-nothing",
    shows: ["sluice/3.1/1"],
    async run({ welcomed }) {
      const peer = await welcomed();
      const { stream } = await peer.next("open");
      peer.say({ kind: "reject", body: { stream, code: 10, reason: "conformance" } });
      await sleep(watchMs);
      if (peer.slices.length > 0) throw new Unmet("slices came of a stream that was rejected");
    },
  },
  closing("4.3/accept-of-a-stream-never-opened", [], "unknownStream", "welcomed", {
    kind: "accept",
    body: { stream: 16_000 },
  }),
  {
    id: "4.4/frames-in-flight-are-bounded",
    shows: ["sluice/4.4/1"],
    async run({ accepted }) {
      const { peer, open } = await accepted({ maxFramesInFlight: 1 });
      const first = await nextFrame(peer);
      const beginMs = performance.now();
      // The first frame has no end before its deadline, measured from its capture; the network takes none of half.
      const limitMs = Math.min(open.deadlineMs / 2, 2_000);
      await sleep(limitMs);
      const others = peer.slices.filter(
        ({ header, atMs }) => header.frame !== first && atMs < beginMs + limitMs,
      );
      if (others.length > 0)
        throw new Unmet(`frame ${others[0]!.header.frame} came while frame ${first} had no answer`);
    },
  },
  {
    id: "4.4/limits-hold-when-they-change",
    shows: ["sluice/4.4/1"],
    async run({ accepted }) {
      const { peer, open } = await accepted();
      const stop = answerAll(peer, open.stream);
      await nextFrame(peer);
      // One frame in 1,000 s.
      peer.say({ kind: "limits", body: { millihertz: 1 } });
      await peer.alive();
      await sleep(1_500);
      const before = framesOf(peer.slices).length;
      await sleep(watchMs);
      stop();
      const count = framesOf(peer.slices).length - before;
      // A first frame at the new rate may come.
      if (count > 1) throw new Unmet(`${count} frames came at one in 1,000 s`);
    },
  },
  {
    id: "5.1/slices-are-well-formed",
    shows: ["sluice/5.1/1", "sluice/5.2/2", "sluice/5.2/3", "sluice/5.3/1"],
    async run({ accepted }) {
      const { peer, open } = await accepted();
      const units = (open.spec?.shape ?? []).reduce((product, size) => product * size, 1);
      const stop = answerAll(peer, open.stream);
      let frame = await nextFrame(peer);
      for (let i = 0; i < 3; i++) {
        const current = frame;
        await peer.until(
          `all units of frame ${current}`,
          () => cover(peer, current, units).covered === units,
        );
        if (cover(peer, current, units).twice > 0) throw new Unmet(`slices of frame ${current} overlap`);
        frame = await nextFrame(peer, framesOf(peer.slices));
      }
      stop();
      checkSlices(peer, open, units);
      const frames = framesOf(peer.slices);
      if (frames[0] !== open.firstFrame)
        throw new Unmet(`the first frame has the number ${frames[0]}, not ${open.firstFrame}`);
    },
  },
  {
    id: "5.1/slice-from-a-server",
    shows: ["sluice/5.1/4"],
    async run({ welcomed }) {
      const peer = await welcomed();
      peer.sendDatagram(sliceItem({ stream: 1, sequence: 0 }, Uint8Array.of(1)));
      await peer.closedWith("protocolViolation");
    },
  },
  {
    id: "5.7/ping-is-answered",
    shows: ["sluice/5.7/1"],
    async run({ welcomed }) {
      const peer = await welcomed();
      peer.say({ kind: "ping", body: { id: 4_294_967_295 } });
      await peer.next("pong", ({ id }) => id === 4_294_967_295);
    },
  },
  {
    id: "7.1/every-result-is-acknowledged",
    shows: ["sluice/7.1/2", "sluice/7.1/3"],
    async run({ accepted }) {
      const { peer, open } = await accepted();
      const frame = await nextFrame(peer);
      for (let times = 1; times <= 3; times++) {
        peer.say(doneResult(open.stream, frame));
        await peer.until(
          `acknowledgement ${times} of frame ${frame}`,
          () => acknowledged(peer, open.stream, frame) >= times,
        );
      }
      peer.say(doneResult(open.stream, 4_000_000_000));
      await peer.until(
        "acknowledgement of a frame that nobody sent",
        () => acknowledged(peer, open.stream, 4_000_000_000) >= 1,
      );
      await peer.alive();
    },
  },
  {
    id: "7.2/payload-that-is-not-messagepack",
    shows: ["sluice/7.2/1"],
    async run({ accepted }) {
      const { peer, open } = await accepted();
      const frame = await nextFrame(peer);
      // 0xc1 is never used in MessagePack.
      peer.say(doneResult(open.stream, frame, Uint8Array.of(0xc1)));
      await peer.closedWith("protocolViolation");
    },
  },
];
