import type { MuxChannel, MuxChannelHandler } from "./mux-channel.js";
import { MUX_PROTOCOL } from "./mux-frame.js";
import { MuxSession } from "./mux-session.js";
import { ConnectError, type Session } from "./session.js";
import type { Clock } from "./session-driver.js";

/** The part of a W3C `WebSocket` (https://websockets.spec.whatwg.org/) that is used here. */
export interface W3cWebSocket {
  binaryType: string;
  readonly readyState: number;
  readonly protocol: string;
  /** Bytes that wait to be sent. */
  readonly bufferedAmount: number;
  send(data: Uint8Array<ArrayBuffer>): void;
  close(code?: number, reason?: string): void;
  addEventListener(type: "open" | "error", listener: () => void): void;
  addEventListener(type: "message", listener: (event: { readonly data: unknown }) => void): void;
  addEventListener(
    type: "close",
    listener: (event: { readonly code: number; readonly reason: string }) => void,
  ): void;
}

/** How a session over a W3C WebSocket is opened. */
export interface WebSocketSessionOptions {
  /** For the look whether a full socket has room again. */
  readonly clock: Clock;
  /** For the way to the open session, in milliseconds. Default 5,000. */
  readonly timeoutMs?: number;
}

const OPEN = 1;
/** Above this nothing is added to the socket's own queue, where priorities end. */
const MAX_BUFFERED_BYTES = 1 << 17;
/** A W3C WebSocket does not say when its queue is empty: it is looked at so often. */
const LOOK_MS = 2;
/** RFC 6455 5.5.1: a close frame holds at most 125 bytes, two of them the code. */
const MAX_CLOSE_REASON = 100;
const DEFAULT_TIMEOUT_MS = 5000;

/**
 * Opens a session without datagrams over a W3C WebSocket that was created with the subprotocol {@link MUX_PROTOCOL}:
 * `connectWebSocket(new WebSocket(url, MUX_PROTOCOL), { clock })`. Rejects with `ConnectError`.
 */
export function connectWebSocket(socket: W3cWebSocket, options: WebSocketSessionOptions): Promise<Session> {
  const { clock, timeoutMs = DEFAULT_TIMEOUT_MS } = options;
  socket.binaryType = "arraybuffer";
  return new Promise((resolve, reject) => {
    let isSettled = false;
    const settle = (run: () => void) => {
      if (isSettled) return;
      isSettled = true;
      clock.cancel(timer);
      run();
    };
    const fail = (kind: ConnectError["kind"], message: string) => {
      settle(() => {
        reject(new ConnectError(kind, message));
        socket.close();
      });
    };
    const timer = clock.schedule(timeoutMs, () => fail("timeout", `no WebSocket within ${timeoutMs} ms`));
    const open = () => {
      if (socket.protocol !== MUX_PROTOCOL) fail("rejected", `the server does not speak ${MUX_PROTOCOL}`);
      else settle(() => resolve(new MuxSession(createChannel(socket, clock), "client")));
    };
    socket.addEventListener("open", open);
    socket.addEventListener("close", ({ code, reason }) => {
      fail("refused", `the WebSocket closed with code ${code}${reason === "" ? "" : `: ${reason}`}`);
    });
    if (socket.readyState === OPEN) open();
  });
}

function createChannel(socket: W3cWebSocket, clock: Clock): MuxChannel {
  let handler: MuxChannelHandler | undefined;
  let isLooking = false;
  let isOver = false;

  function look(): void {
    isLooking = false;
    if (isOver) return;
    if (socket.bufferedAmount < MAX_BUFFERED_BYTES) handler?.handleWritable();
    else lookLater();
  }

  function lookLater(): void {
    if (isLooking) return;
    isLooking = true;
    clock.schedule(LOOK_MS, look);
  }

  return {
    rttMs: undefined,
    get isWritable() {
      if (isOver || socket.readyState !== OPEN) return false;
      if (socket.bufferedAmount < MAX_BUFFERED_BYTES) return true;
      lookLater();
      return false;
    },
    send(message) {
      if (!isOver && socket.readyState === OPEN) socket.send(message as Uint8Array<ArrayBuffer>);
    },
    close(code, reason) {
      if (!isOver) socket.close(code, reason.slice(0, MAX_CLOSE_REASON).replace(/[^\x20-\x7e]/g, "?"));
    },
    start(to) {
      handler = to;
      socket.addEventListener("message", ({ data }) => {
        to.handleMessage(data instanceof ArrayBuffer ? new Uint8Array(data) : undefined);
      });
      socket.addEventListener("close", ({ code, reason }) => {
        if (isOver) return;
        isOver = true;
        to.handleEnd(code, reason);
      });
    },
  };
}
