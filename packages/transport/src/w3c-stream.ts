import { type ReceiveStream, type SendStream, StreamError } from "./session.js";
import type { W3cStreamErrors } from "./w3c-error.js";
import type { W3cReadable, W3cWritable } from "./w3c-transport.js";

const ignore = () => {};

/** A sending half over a W3C writable stream. A reset ends pending writes at once, whatever the writer does. */
export function createW3cSendStream(writable: W3cWritable, errors: W3cStreamErrors): SendStream {
  const writer = writable.getWriter();
  let error: StreamError | undefined;
  let isFinished = false;
  let finishing: Promise<void> | undefined;
  const pending = new Set<(error: StreamError) => void>();

  function fail(reason: StreamError): StreamError {
    if (error === undefined && !isFinished) {
      error = reason;
      for (const reject of pending) reject(reason);
      pending.clear();
    }
    return error ?? reason;
  }

  function failFrom(cause: unknown): StreamError {
    const code = errors.codeOf(cause);
    const reason = code === undefined ? new StreamError("closed", 0) : new StreamError("stopped", code);
    reason.cause = cause;
    return fail(reason);
  }

  function settle(work: Promise<unknown>): Promise<void> {
    return new Promise((resolve, reject) => {
      pending.add(reject);
      work.then(
        () => {
          pending.delete(reject);
          resolve();
        },
        (cause: unknown) => {
          pending.delete(reject);
          reject(failFrom(cause));
        },
      );
    });
  }

  // Tells of a stop even while nothing is written.
  writer.closed.catch(failFrom);

  return {
    write(data) {
      if (error !== undefined) return Promise.reject(error);
      if (finishing !== undefined) return Promise.reject(new Error("write after finish"));
      if (data.byteLength === 0) return Promise.resolve();
      return settle(writer.write(data as Uint8Array<ArrayBuffer>));
    },
    finish() {
      if (error !== undefined) return Promise.reject(error);
      finishing ??= settle(writer.close()).then(() => {
        isFinished = true;
      });
      return finishing;
    },
    reset(code) {
      if (error !== undefined || isFinished) return;
      fail(new StreamError("reset", code));
      writer.abort(errors.create(code)).catch(ignore);
    },
  };
}

/** A receiving half over a W3C readable stream. */
export function createW3cReceiveStream(
  readable: W3cReadable<Uint8Array>,
  errors: W3cStreamErrors,
): ReceiveStream {
  const reader = readable.getReader();
  let error: StreamError | undefined;
  let hasEnded = false;
  let rejectPending: ((error: StreamError) => void) | undefined;

  async function next(): Promise<Uint8Array | undefined> {
    try {
      for (;;) {
        const { done, value } = await reader.read();
        if (done || value === undefined) {
          hasEnded = true;
          return undefined;
        }
        if (value.byteLength > 0) return value;
      }
    } catch (cause) {
      const code = errors.codeOf(cause);
      if (error === undefined) {
        error = code === undefined ? new StreamError("closed", 0) : new StreamError("reset", code);
        error.cause = cause;
      }
      throw error;
    }
  }

  return {
    read() {
      if (rejectPending !== undefined) return Promise.reject(new Error("a read is already pending"));
      if (error !== undefined) return Promise.reject(error);
      if (hasEnded) return Promise.resolve(undefined);
      return new Promise((resolve, reject) => {
        rejectPending = reject;
        next().then(
          (chunk) => {
            rejectPending = undefined;
            resolve(chunk);
          },
          (cause: StreamError) => {
            rejectPending = undefined;
            reject(cause);
          },
        );
      });
    },
    stop(code) {
      if (error !== undefined) return;
      const stopped = new StreamError("stopped", code);
      error = stopped;
      rejectPending?.(stopped);
      if (!hasEnded) reader.cancel(errors.create(code)).catch(ignore);
    },
  };
}
