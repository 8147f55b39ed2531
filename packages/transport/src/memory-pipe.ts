import { runSoon } from "./microtask.js";
import { type ReceiveStream, type SendStream, StreamError } from "./session.js";

/** One direction of a stream in memory: what one end writes, the other end reads. */
export interface MemoryPipe {
  readonly send: SendStream;
  readonly receive: ReceiveStream;
  /** Fails what is pending and everything after it: the session ended. */
  close(): void;
}

interface Waiting<T> {
  resolve(value: T): void;
  reject(error: Error): void;
}

/**
 * A pipe that holds at most about `windowBytes` before writes wait; one write may exceed it.
 * `onDone` is called once, when neither end can carry anything any more.
 */
export function createMemoryPipe(windowBytes: number, onDone: (pipe: MemoryPipe) => void): MemoryPipe {
  let chunks: Uint8Array[] = [];
  let queuedBytes = 0;
  let finished = false;
  let sendError: StreamError | undefined;
  let receiveError: StreamError | undefined;
  let done = false;
  let reader: Waiting<Uint8Array | undefined> | undefined;
  let writers: Waiting<void>[] = [];

  function settle(): void {
    if (done) return;
    done = true;
    onDone(pipe);
  }

  function fail(forWriter: StreamError, forReader: StreamError): void {
    if (done) return;
    chunks = [];
    queuedBytes = 0;
    sendError = forWriter;
    receiveError = forReader;
    const failedWriters = writers;
    writers = [];
    for (const writer of failedWriters) writer.reject(forWriter);
    const failedReader = reader;
    reader = undefined;
    // Delivery takes a turn, as it would over a network.
    if (failedReader !== undefined) runSoon(() => failedReader.reject(forReader));
    settle();
  }

  function take(): Uint8Array | undefined {
    const chunk = chunks.shift();
    if (chunk === undefined) return undefined;
    queuedBytes -= chunk.byteLength;
    if (queuedBytes < windowBytes) {
      const freed = writers;
      writers = [];
      for (const writer of freed) writer.resolve();
    }
    return chunk;
  }

  function deliver(): void {
    const waiting = reader;
    if (waiting === undefined) return;
    if (chunks.length > 0) {
      reader = undefined;
      waiting.resolve(take());
    } else if (finished) {
      reader = undefined;
      waiting.resolve(undefined);
      settle();
    }
  }

  const send: SendStream = {
    write(data) {
      if (sendError !== undefined) return Promise.reject(sendError);
      if (finished) return Promise.reject(new Error("write after finish"));
      if (data.byteLength === 0) return Promise.resolve();
      chunks.push(data.slice());
      queuedBytes += data.byteLength;
      runSoon(deliver);
      if (queuedBytes < windowBytes) return Promise.resolve();
      return new Promise((resolve, reject) => writers.push({ resolve, reject }));
    },
    finish() {
      if (sendError !== undefined) return Promise.reject(sendError);
      finished = true;
      runSoon(deliver);
      return Promise.resolve();
    },
    reset(code) {
      fail(new StreamError("reset", code), new StreamError("reset", code));
    },
  };

  const receive: ReceiveStream = {
    read() {
      if (receiveError !== undefined) return Promise.reject(receiveError);
      if (reader !== undefined) return Promise.reject(new Error("a read is already pending"));
      return new Promise((resolve, reject) => {
        reader = { resolve, reject };
        deliver();
      });
    },
    stop(code) {
      fail(new StreamError("stopped", code), new StreamError("stopped", code));
    },
  };

  const pipe: MemoryPipe = {
    send,
    receive,
    close() {
      // What has arrived whole stays readable; the writer has nothing left to do.
      if (!finished) fail(new StreamError("closed", 0), new StreamError("closed", 0));
      else sendError = new StreamError("closed", 0);
    },
  };
  return pipe;
}
