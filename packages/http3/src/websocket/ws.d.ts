/** The part of `ws` 8 (https://github.com/websockets/ws/blob/master/doc/ws.md) that is used here; it ships no types. */
declare module "ws" {
  import type { EventEmitter } from "node:events";
  import type { ClientRequest, IncomingMessage } from "node:http";
  import type { Duplex } from "node:stream";

  interface WebSocketOptions {
    readonly perMessageDeflate?: false;
    /** Bytes of the longest message; a longer one closes the connection with 1009. */
    readonly maxPayload?: number;
    /** Milliseconds to wait for the peer's close frame. */
    readonly closeTimeout?: number;
    readonly headers?: Readonly<Record<string, string>>;
    readonly createConnection?: () => Duplex;
  }

  export class WebSocket extends EventEmitter {
    constructor(url: string, protocols: readonly string[], options: WebSocketOptions);
    static readonly OPEN: 1;
    readonly readyState: number;
    readonly protocol: string;
    readonly bufferedAmount: number;
    send(data: Uint8Array, callback: (error?: Error) => void): void;
    ping(): void;
    close(code: number, reason: string): void;
    terminate(): void;
    on(event: "open" | "pong", listener: () => void): this;
    on(event: "message", listener: (data: Buffer, isBinary: boolean) => void): this;
    on(event: "close", listener: (code: number, reason: Buffer) => void): this;
    on(event: "error", listener: (error: Error & { code?: string }) => void): this;
    on(
      event: "unexpected-response",
      listener: (request: ClientRequest, response: IncomingMessage) => void,
    ): this;
  }

  export class WebSocketServer extends EventEmitter {
    constructor(
      options: WebSocketOptions & {
        readonly noServer: true;
        readonly clientTracking: false;
        readonly handleProtocols: (protocols: Set<string>) => string | false;
      },
    );
    handleUpgrade(
      request: IncomingMessage,
      socket: Duplex,
      head: Buffer,
      callback: (socket: WebSocket) => void,
    ): void;
  }
}
