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
  isStopped: boolean;
  /** Of what was sent last: a stream is in order. */
  arrivalMs: number;
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

  /** What waits for the path, the first to be sent first; what was reset or stopped leaves nothing behind. */
  const queue: { readonly entry: OpenStream; readonly name: ResultUpload; at: number }[] = [];
  let isBusy = false;

  function carry(result: ResultUpload): void {
    const entry: OpenStream = { id: nextId++, isReset: false, isStopped: false, arrivalMs: 0 };
    open.set(`${result.stream}/${result.frame}`, entry);
    queue.push({ entry, name: result, at: 0 });
    if (!isBusy) sendNext();
  }

  function sendNext(): void {
    while (queue[0] && (queue[0].entry.isReset || queue[0].entry.isStopped)) queue.shift();
    const first = queue[0];
    isBusy = first !== undefined;
    if (!first) return;
    const { entry, name } = first;
    const chunk = name.bytes.slice(first.at, first.at + packetBytes);
    first.at += packetBytes;
    const isLast = first.at >= name.bytes.length;
    if (isLast) queue.shift();
    clock.after((chunk.length * 8_000) / bitsPerSecond, () => {
      let sentMs = clock.now();
      while (random.next() < loss) sentMs += 2 * oneWayMs;
      entry.arrivalMs = Math.max(entry.arrivalMs, sentMs + oneWayMs);
      clock.at(entry.arrivalMs, () => arrive(entry, name, chunk, isLast));
      sendNext();
    });
  }

  function arrive(
    entry: OpenStream,
    { stream, frame }: ResultUpload,
    chunk: Uint8Array,
    isLast: boolean,
  ): void {
    if (entry.isReset || entry.isStopped || clock.now() >= deadFromMs) return;
    const stopCode = client.handleResultStream(entry.id, chunk, clock.now());
    if (stopCode !== undefined) {
      entry.isStopped = true;
      stops.push(stopCode);
      clock.after(oneWayMs, () => {
        server.resultStopped(stream, frame, clock.now());
        pump();
      });
    } else if (isLast) client.handleResultEnd(entry.id, true, clock.now());
    pump();
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
