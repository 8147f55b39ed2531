import type { MuxChannel, MuxChannelHandler } from "@sluice/transport";
import { WebSocket } from "ws";

/** Above this nothing is added to the socket's own queue, where priorities end. */
const MAX_BUFFERED_BYTES = 1 << 16;
/** RFC 6455 5.5.1: a close frame holds at most 125 bytes, two of them the code. */
const MAX_CLOSE_REASON = 100;
/** What was sent gets so long to leave before the connection is cut. */
const LINGER_MS = 2000;
/** Signs of life asked for within one idle timeout. */
const PINGS_PER_TIMEOUT = 3;

/** What a `ws` socket is as a channel; pings keep it alive and tell its round-trip time. */
export class WsChannel implements MuxChannel {
  #handler: MuxChannelHandler | undefined;
  #rttMs: number | undefined;
  #pingSentAtMs = 0;
  #isPingOut = false;
  #heardAtMs = performance.now();
  #isOver = false;
  #isClosing = false;
  readonly #keepAlive: NodeJS.Timeout;
  /** Arrived before the session took over. */
  #early: [Buffer, boolean][] = [];

  constructor(
    readonly socket: WebSocket,
    idleTimeoutMs: number,
  ) {
    const tickMs = Math.max(10, idleTimeoutMs / PINGS_PER_TIMEOUT);
    this.#keepAlive = setInterval(() => this.#tick(idleTimeoutMs), tickMs);
    this.#keepAlive.unref();
    socket.on("message", (data, isBinary) => {
      this.#heardAtMs = performance.now();
      if (this.#handler === undefined) this.#early.push([data, isBinary]);
      else this.#handler.handleMessage(isBinary ? data : undefined);
    });
    socket.on("pong", () => this.#handlePong());
    socket.on("close", (code, reason) => this.#end(code, reason.toString()));
    // A `close` follows, which tells the rest.
    socket.on("error", () => {});
    this.#ping();
  }

  get isWritable(): boolean {
    return (
      !this.#isOver &&
      this.socket.readyState === WebSocket.OPEN &&
      this.socket.bufferedAmount < MAX_BUFFERED_BYTES
    );
  }

  get rttMs(): number | undefined {
    return this.#rttMs;
  }

  /** For how long nothing has come. */
  silentMs(nowMs: number): number {
    return nowMs - this.#heardAtMs;
  }

  send(message: Uint8Array): void {
    if (this.#isOver || this.socket.readyState !== WebSocket.OPEN) return;
    this.socket.send(message, () => this.#handler?.handleWritable());
  }

  close(code: number, reason: string): void {
    if (this.#isOver || this.#isClosing) return;
    this.#isClosing = true;
    this.socket.close(code, reason.slice(0, MAX_CLOSE_REASON).replace(/[^\x20-\x7e]/g, "?"));
    setTimeout(() => this.socket.terminate(), LINGER_MS).unref();
  }

  start(handler: MuxChannelHandler): void {
    this.#handler = handler;
    const early = this.#early;
    this.#early = [];
    for (const [data, isBinary] of early) handler.handleMessage(isBinary ? data : undefined);
  }

  #tick(idleTimeoutMs: number): void {
    if (performance.now() - this.#heardAtMs < idleTimeoutMs) {
      this.#ping();
      return;
    }
    this.#end(1006, `no sign of life for ${idleTimeoutMs} ms`);
    this.socket.terminate();
  }

  #ping(): void {
    if (this.#isPingOut || this.socket.readyState !== WebSocket.OPEN) return;
    this.#isPingOut = true;
    this.#pingSentAtMs = performance.now();
    this.socket.ping();
  }

  #handlePong(): void {
    const nowMs = performance.now();
    this.#heardAtMs = nowMs;
    this.#isPingOut = false;
    const sampleMs = nowMs - this.#pingSentAtMs;
    // RFC 6298 2.3: a smoothing of 1/8.
    this.#rttMs = this.#rttMs === undefined ? sampleMs : this.#rttMs + (sampleMs - this.#rttMs) / 8;
  }

  #end(code: number, reason: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    clearInterval(this.#keepAlive);
    this.#handler?.handleEnd(code, reason);
  }
}
