/** QUIC streams with results on a virtual path: in order, each lost packet a round trip late, sharing the path's rate. */
import type { ClientSession, ResultUpload, ServerEvent, ServerSession } from "@sluice/protocol";
import type { Random, VirtualClock } from "@sluice/simnet";

export interface ResultStreamPath {
  readonly bitsPerSecond?: number;
  /** Share of the packets that are lost and sent again, 0 to 1. */
  readonly loss?: number;
  /** Nothing of them arrives any more from this time on. */
  readonly deadFromMs?: number;
}

export interface ResultCarrierOptions {
  readonly clock: VirtualClock;
  readonly random: Random;
  readonly oneWayMs: number;
  readonly client: ClientSession;
  readonly server: ServerSession;
  readonly path: ResultStreamPath;
  readonly pump: () => void;
}

interface OpenStream {
  readonly id: number;
  isReset: boolean;
}

const packetBytes = 1_200;

export function createResultCarrier(options: ResultCarrierOptions) {
  const { clock, random, oneWayMs, client, server, path, pump } = options;
  const { bitsPerSecond = Number.POSITIVE_INFINITY, loss = 0, deadFromMs = Number.POSITIVE_INFINITY } = path;
  const open = new Map<string, OpenStream>();
  /** Streams that the server has reset, and that the client has stopped, with their codes. */
  const resets: number[] = [];
  const stops: number[] = [];
  let nextId = 0;
  let freeMs = 0;

  function carry({ stream, frame, bytes }: ResultUpload): void {
    const name = `${stream}/${frame}`;
    const entry: OpenStream = { id: nextId++, isReset: false };
    open.set(name, entry);
    let arrivalMs = 0;
    let isStopped = false;
    for (let at = 0; at < bytes.length; at += packetBytes) {
      const chunk = bytes.slice(at, at + packetBytes);
      freeMs = Math.max(freeMs, clock.now()) + (chunk.length * 8_000) / bitsPerSecond;
      let sentMs = freeMs;
      while (random.next() < loss) sentMs += 2 * oneWayMs;
      arrivalMs = Math.max(arrivalMs, sentMs + oneWayMs);
      const isLast = at + packetBytes >= bytes.length;
      clock.at(arrivalMs, () => {
        if (entry.isReset || isStopped || clock.now() >= deadFromMs) return;
        const stopCode = client.handleResultStream(entry.id, chunk, clock.now());
        if (stopCode !== undefined) {
          isStopped = true;
          stops.push(stopCode);
          clock.after(oneWayMs, () => {
            server.resultStopped(stream, frame);
            pump();
          });
        } else if (isLast) client.handleResultEnd(entry.id, true, clock.now());
        pump();
      });
    }
  }

  function end({ stream, frame, resetCode }: Extract<ServerEvent, { type: "result-ended" }>): void {
    const entry = open.get(`${stream}/${frame}`);
    if (!entry) return;
    open.delete(`${stream}/${frame}`);
    if (resetCode === undefined) return;
    resets.push(resetCode);
    entry.isReset = true;
    clock.after(oneWayMs, () => {
      if (clock.now() < deadFromMs) client.handleResultEnd(entry.id, false, clock.now());
      pump();
    });
  }

  return {
    carry,
    end,
    resets,
    stops,
    /** Streams that the server still looks after. */
    get open() {
      return open.size;
    },
  };
}
