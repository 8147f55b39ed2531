import type { MuxChannel, MuxChannelHandler } from "@sluice/transport";

/** One end of a connection in memory that delivers one message in each microtask. */
export class MemoryChannel implements MuxChannel {
  peer: MemoryChannel | undefined;
  readonly rttMs = undefined;
  readonly sent: Uint8Array[] = [];
  closedWith: { code: number; reason: string } | undefined;
  #handler: MuxChannelHandler | undefined;
  #waiting = 0;
  /** Messages that may wait before it counts as full; 0 holds everything back. */
  capacity = 2;

  get isWritable(): boolean {
    return this.#waiting < this.capacity && this.closedWith === undefined;
  }

  send(message: Uint8Array): void {
    if (this.closedWith !== undefined) return;
    this.sent.push(message);
    this.#waiting += 1;
    queueMicrotask(() => {
      this.#waiting -= 1;
      this.peer?.deliver(message.slice());
      this.#handler?.handleWritable();
    });
  }

  deliver(message: Uint8Array | undefined): void {
    this.#handler?.handleMessage(message);
  }

  /** Says that there is room again. */
  release(capacity: number): void {
    this.capacity = capacity;
    this.#handler?.handleWritable();
  }

  close(code: number, reason: string): void {
    if (this.closedWith !== undefined) return;
    this.closedWith = { code, reason };
    queueMicrotask(() => this.peer?.end(code, reason));
  }

  end(code: number, reason: string): void {
    this.#handler?.handleEnd(code, reason);
  }

  start(handler: MuxChannelHandler): void {
    this.#handler = handler;
  }
}

export function createChannelPair(): { client: MemoryChannel; server: MemoryChannel } {
  const client = new MemoryChannel();
  const server = new MemoryChannel();
  client.peer = server;
  server.peer = client;
  return { client, server };
}
