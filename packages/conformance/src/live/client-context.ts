import type { OutgoingControl } from "@sluice/protocol/wire";
import type { Session } from "@sluice/transport";
import { createRawPeer, type HeardSlice, type MessageOf, type RawPeer, Unmet, waitMs } from "./raw-peer.js";

/** How a client under test is brought to a session; the suite is its server. */
export interface ClientSource {
  /** The next session that a client opens. @throws Unmet where none comes */
  nextSession(): Promise<Session>;
}

/** What every case of the client suite has at hand. */
export interface ClientContext {
  /** A client's session with its control stream, before anything is said. */
  raw(): Promise<RawPeer>;
  /** The same after the client's `Hello`, answered with a `Welcome`. */
  welcomed(limits?: WelcomeLimits): Promise<RawPeer>;
  /** The same with the client's first stream accepted. */
  accepted(limits?: WelcomeLimits): Promise<AcceptedPeer>;
}

export interface AcceptedPeer {
  readonly peer: RawPeer;
  readonly open: MessageOf<"open">["body"];
}

export type WelcomeLimits = NonNullable<Extract<OutgoingControl, { kind: "welcome" }>["body"]["limits"]>;

/** Where a case says nothing else: room for everything. */
const wideLimits: WelcomeLimits = {
  ...{ maxStreams: 64, maxTensorElements: 1 << 24, maxTensorBytes: 1 << 26 },
};
const agent = "sluice conformance";

/** Waits for the client's control stream; a session without one is a failure. */
async function readControl(session: Session): Promise<RawPeer> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Unmet("the client opened no control stream")), waitMs);
    let isFirst = true;
    session.onBidirectional((stream) => {
      if (!isFirst) return;
      isFirst = false;
      clearTimeout(timer);
      resolve(createRawPeer(session, stream));
    });
  });
}

export function createClientContext(source: ClientSource, opened: RawPeer[]): ClientContext {
  async function raw(): Promise<RawPeer> {
    const peer = await readControl(await source.nextSession());
    opened.push(peer);
    return peer;
  }
  async function welcomed(limits: WelcomeLimits = {}): Promise<RawPeer> {
    const peer = await raw();
    await peer.next("hello");
    peer.say({ kind: "welcome", body: { version: 1, agent, limits: { ...wideLimits, ...limits } } });
    return peer;
  }
  return {
    ...{ raw, welcomed },
    async accepted(limits) {
      const peer = await welcomed(limits);
      const open = await peer.next("open");
      peer.say({ kind: "accept", body: { stream: open.stream, concealment: "zero" } });
      return { peer, open };
    },
  };
}

/** A result that is DONE with a payload; `true` in MessagePack unless it is said otherwise. */
export function doneResult(stream: number, frame: number, payload = Uint8Array.of(0xc3)): OutgoingControl {
  return { kind: "result", body: { stream, frame, outcome: 1, elements: 1, slicesReceived: 1, payload } };
}

/** Frames of which slices have come, in the order in which they began. */
export function framesOf(slices: readonly HeardSlice[]): number[] {
  return [...new Set(slices.map(({ header }) => header.frame))];
}

/** Waits for slices of frames of which none had come before, and gives the number of the first. */
export async function nextFrame(peer: RawPeer, known: readonly number[] = []): Promise<number> {
  const fresh = () => framesOf(peer.slices).find((frame) => !known.includes(frame));
  await peer.until("slices of a frame", () => fresh() !== undefined, 2 * waitMs);
  return fresh()!;
}
