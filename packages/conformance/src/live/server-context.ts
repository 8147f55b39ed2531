import type { OutgoingControl } from "@sluice/protocol/wire";
import type { Session } from "@sluice/transport";
import { createRawPeer, type RawPeer, type SliceFields, sliceItem } from "./raw-peer.js";

export interface ServerTarget {
  /** Opens a session with the server under test. */
  connect(): Promise<Session>;
  /** A model that takes tensors of six bytes as they are, as `sink` of `sluice serve` does. */
  readonly model: string;
  readonly token?: Uint8Array;
}

/** What every case of the server suite has at hand. */
export interface ServerContext extends ServerTarget {
  readonly hello: OutgoingControl;
  /** A session whose control stream is open and silent. */
  raw(): Promise<RawPeer>;
  /** A session after hello and welcome. */
  welcomed(): Promise<RawPeer>;
  /** The same with stream 1 open, of six bytes. */
  opened(fields?: OpenFields): Promise<RawPeer>;
  open(fields?: OpenFields): OutgoingControl;
}

export type OpenFields = Partial<Extract<OutgoingControl, { kind: "open" }>["body"]>;

export const tensor: Uint8Array = Uint8Array.of(1, 2, 3, 4, 5, 6);
export const half: Uint8Array = tensor.subarray(0, 3);
export const otherHalf: Uint8Array = tensor.subarray(3);

/** A datagram with one slice, of stream 1 unless it is said otherwise. */
export function inDatagram(sequence: number, fields: Partial<SliceFields>, payload: Uint8Array): Uint8Array {
  return sliceItem({ stream: 1, ...fields, sequence }, payload);
}

/** The whole tensor in one slice. */
export function wholeFrame(sequence: number, frame: number): Uint8Array {
  return inDatagram(sequence, { frame }, tensor);
}

export function createServerContext(target: ServerTarget, opened: RawPeer[]): ServerContext {
  const { token } = target;
  const hello: OutgoingControl = {
    kind: "hello",
    body: { versions: [1], agent: "sluice conformance", ...(token ? { token } : {}) },
  };
  const open = (fields: OpenFields = {}): OutgoingControl => ({
    kind: "open",
    body: {
      ...{ stream: 1, spec: { dtype: 3, shape: [6] }, codec: "raw", mode: 1, deadlineMs: 2_000 },
      ...{ model: target.model, concealment: "zero", ...fields },
    },
  });
  async function raw(): Promise<RawPeer> {
    const session = await target.connect();
    const peer = createRawPeer(session, await session.openBidirectional());
    opened.push(peer);
    return peer;
  }
  async function welcomed(): Promise<RawPeer> {
    const peer = await raw();
    peer.say(hello);
    await peer.next("welcome");
    return peer;
  }
  return {
    ...target,
    ...{ hello, open, raw, welcomed },
    async opened(fields) {
      const peer = await welcomed();
      peer.say(open(fields));
      await peer.next("accept");
      return peer;
    },
  };
}
