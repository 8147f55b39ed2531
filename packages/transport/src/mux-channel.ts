/** What a session needs of the connection below it: reliable, ordered messages, as a WebSocket has them. */
export interface MuxChannel {
  /** False while so much waits to be sent that more would only add delay. */
  readonly isWritable: boolean;
  /** Round-trip time of the connection in milliseconds, where it is known. */
  readonly rttMs: number | undefined;
  /** Sends a message; the bytes belong to the channel. Does nothing after the end. */
  send(message: Uint8Array): void;
  /** Ends the connection after what was sent, with a WebSocket close code and a reason for people. */
  close(code: number, reason: string): void;
  /** Called once; begins delivery. */
  start(handler: MuxChannelHandler): void;
}

/** Receives what happens on a {@link MuxChannel}. */
export interface MuxChannelHandler {
  /** The bytes belong to the handler. `undefined` stands for a message that was not binary. */
  handleMessage(message: Uint8Array | undefined): void;
  /** It is writable again. */
  handleWritable(): void;
  /** The connection is over; called once, whoever ended it. */
  handleEnd(code: number, reason: string): void;
}
