/**
 * One end of a session that speaks the wire by hand, so that it can break every rule; what the other end sends is
 * kept in the order in which it came. Waits are generous: they end early when what they wait for is there.
 */
import { ErrorCode, errorCodeName } from "@sluice/protocol";
import {
  type ControlMessage,
  type ControlName,
  createControlDecoder,
  decodeDatagram,
  encodeControl,
  encodeControlItem,
  encodeDelimitedControl,
  encodeSliceItem,
  type OutgoingControl,
  type ReceivedSlice,
  type SliceHeader,
} from "@sluice/protocol/wire";
import type { BidirectionalStream, CloseInfo, Session } from "@sluice/transport";

export type MessageOf<Kind extends ControlName> = Extract<ControlMessage, { readonly kind: Kind }>;

/** A message, and whether it came in a datagram. */
export interface HeardMessage {
  readonly message: ControlMessage;
  readonly inDatagram: boolean;
  readonly atMs: number;
}

/** A slice, and whether it came in a datagram or on a stream of its tensor. */
export interface HeardSlice extends ReceivedSlice {
  /** Place in its datagram, from 0; `undefined` on a stream. */
  readonly place: number | undefined;
  /** Number of the stream, from 0; `undefined` in a datagram. */
  readonly streamNumber: number | undefined;
  readonly atMs: number;
}

/** What a case expected and did not get. */
export class Unmet extends Error {
  override readonly name = "Unmet";
}

export const waitMs = 10_000;

export type SliceFields = Pick<SliceHeader, "stream"> & Partial<SliceHeader>;

/** A slice as an item, with what is not given as in the smallest header. */
export function sliceItem(fields: SliceFields, payload: Uint8Array): Uint8Array {
  const header: SliceHeader = {
    ...{ frame: 0, index: 0, count: 1, ageMs: 0, payloadBytes: undefined, sequence: undefined },
    ...fields,
  };
  const bytes = new Uint8Array(128 + payload.length);
  return bytes.subarray(0, encodeSliceItem(bytes, 0, header, payload));
}

export function controlItem(message: OutgoingControl): Uint8Array {
  const body = encodeControl(message);
  const bytes = new Uint8Array(body.length + 8);
  return bytes.subarray(0, encodeControlItem(bytes, 0, body));
}

export interface RawPeer {
  readonly session: Session;
  readonly heard: readonly HeardMessage[];
  readonly slices: readonly HeardSlice[];
  /** Why bytes of the other end could not be read, where that happened. */
  readonly broken: string | undefined;
  say(...messages: OutgoingControl[]): void;
  sayBytes(bytes: Uint8Array): void;
  sendDatagram(...items: Uint8Array[]): void;
  /** The first message of a kind that was not asked for before. @throws Unmet after {@link waitMs} */
  next<Kind extends ControlName>(
    kind: Kind,
    test?: (body: MessageOf<Kind>["body"]) => boolean,
    limitMs?: number,
  ): Promise<MessageOf<Kind>["body"]>;
  /** Waits until a condition holds. @throws Unmet */
  until(what: string, holds: () => boolean, limitMs?: number): Promise<void>;
  /** Waits for the end of the session with this code. @throws Unmet */
  closedWith(name: keyof typeof ErrorCode): Promise<void>;
  /** The other end answers a ping: it has read everything before it. @throws Unmet */
  alive(): Promise<void>;
  close(): void;
}

let nextPing = 1_000_000;

export function createRawPeer(session: Session, control: BidirectionalStream): RawPeer {
  const heard: (HeardMessage & { taken?: boolean })[] = [];
  const slices: HeardSlice[] = [];
  const decode = createControlDecoder();
  const watchers = new Set<() => void>();
  let end: CloseInfo | undefined;
  let broken: string | undefined;
  let streams = 0;

  const notify = () => {
    for (const watcher of watchers) watcher();
  };
  const hear = (message: ControlMessage, inDatagram: boolean) => {
    heard.push({ message, inDatagram, atMs: performance.now() });
    // Whoever hears nothing may give the session up.
    if (message.kind === "ping") peer.say({ kind: "pong", body: { id: message.body.id } });
  };

  function reading(step: () => void): void {
    try {
      step();
    } catch (error) {
      broken ??= (error as Error).message;
    }
    notify();
  }

  session.onDatagrams((batch) =>
    reading(() => {
      for (const bytes of batch) {
        const datagram = decodeDatagram(bytes);
        for (const message of datagram.controls) hear(message, true);
        for (const [place, slice] of datagram.slices.entries())
          slices.push({ ...slice, place, streamNumber: undefined, atMs: performance.now() });
      }
    }),
  );
  session.onUnidirectional((stream) => {
    const streamNumber = streams++;
    void (async () => {
      const bytes: Uint8Array[] = [];
      try {
        for (let chunk = await stream.read(); chunk; chunk = await stream.read()) bytes.push(chunk);
      } catch {
        // Reset at a deadline; what came is looked at all the same.
      }
      reading(() => {
        // One item after the other is what a datagram holds too, and on a stream every slice names its length.
        const found = decodeDatagram(Buffer.concat(bytes));
        for (const slice of found.slices)
          slices.push({ ...slice, place: undefined, streamNumber, atMs: performance.now() });
      });
    })();
  });
  void (async () => {
    try {
      for (let chunk = await control.receive.read(); chunk; chunk = await control.receive.read()) {
        const bytes = chunk;
        reading(() => {
          for (const message of decode(bytes)) hear(message, false);
        });
      }
    } catch {
      // The session has ended, and says so itself.
    }
  })();
  void session.closed.then((info) => {
    end = info;
    notify();
  });

  function until(what: string, holds: () => boolean, limitMs = waitMs): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        watchers.delete(look);
        reject(new Unmet(`${what}: not within ${limitMs} ms${broken ? `; unreadable: ${broken}` : ""}`));
      }, limitMs);
      const look = () => {
        if (!holds()) {
          if (end && !what.startsWith("close")) {
            clearTimeout(timer);
            watchers.delete(look);
            reject(
              new Unmet(
                `${what}: the session ended before, by ${end.by} with ${errorCodeName(end.code)} (${end.reason})`,
              ),
            );
          }
          return;
        }
        clearTimeout(timer);
        watchers.delete(look);
        resolve();
      };
      watchers.add(look);
      look();
    });
  }

  const peer: RawPeer = {
    ...{ session, heard, slices, until },
    get broken() {
      return broken;
    },
    say(...messages) {
      for (const message of messages) peer.sayBytes(encodeDelimitedControl(message));
    },
    sayBytes(bytes) {
      void control.send.write(bytes).catch(() => {});
    },
    sendDatagram(...items) {
      session.sendDatagram(Buffer.concat(items));
    },
    async next(kind, test = () => true, limitMs = waitMs) {
      const isIt = (entry: HeardMessage & { taken?: boolean }) =>
        !entry.taken && entry.message.kind === kind && test(entry.message.body as never);
      await until(`a message ${kind}`, () => heard.some(isIt), limitMs);
      const found = heard.find(isIt)!;
      found.taken = true;
      return found.message.body as never;
    },
    async closedWith(name) {
      await until(`close with ${name}`, () => end !== undefined);
      if (end!.code !== ErrorCode[name] || end!.by === "local") {
        const code = `${errorCodeName(end!.code)} (${end!.reason})`;
        throw new Unmet(`closed with ${code} by ${end!.by}, not with ${name} by the other end`);
      }
    },
    async alive() {
      const id = nextPing++;
      peer.say({ kind: "ping", body: { id } });
      await peer.next("pong", (body) => body.id === id);
    },
    close: () => session.close(ErrorCode.none, "the case is over"),
  };
  return peer;
}
