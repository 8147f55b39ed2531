/** A tensor stream of the application that goes on from session to session (spec 2.7). */
import type { Client, OpenStreamOptions, TensorStream } from "./client-api.js";
import { ClientError } from "./client-error.js";

export interface ResumedStream {
  /** What the application holds; it stays the same. */
  readonly facade: TensorStream;
  /**
   * Opens it in a session, unless that is not the present one any more when the answer comes.
   * @throws ClientError where the server or the session refuses it
   */
  openIn(client: Client, isPresent: () => boolean): Promise<void>;
  /** A session has ended: frames offered to a stream of that session are dropped here from now on. */
  forget(client: Client): void;
}

/**
 * A stream that is opened in `client` and can be in others later.
 * @param onNotOpen called for each frame that is dropped because there is no session
 * @param onClose called when the application closes it
 */
export async function createResumedStream(
  client: Client,
  options: OpenStreamOptions,
  onNotOpen: () => void,
  onClose: (stream: ResumedStream) => void,
): Promise<ResumedStream> {
  let owner: Client | undefined = client;
  let inner: TensorStream | undefined = await client.openStream(options);
  const { spec, codec } = inner;
  let { mode, fec, interleave, deadlineMs, concealment, resultFormat, model, nextFrame } = inner;
  let isClosed = false;

  function take(opened: TensorStream): void {
    inner = opened;
    ({ mode, fec, interleave, deadlineMs, concealment, resultFormat, model } = opened);
  }

  const facade: TensorStream = {
    ...{ spec, codec },
    get mode() {
      return mode;
    },
    get fec() {
      return fec;
    },
    get interleave() {
      return interleave;
    },
    get deadlineMs() {
      return deadlineMs;
    },
    get concealment() {
      return concealment;
    },
    get resultFormat() {
      return resultFormat;
    },
    get model() {
      return model;
    },
    get nextFrame() {
      return inner?.nextFrame ?? nextFrame;
    },
    send(produce, capturedMs) {
      if (inner && !isClosed) return inner.send(produce, capturedMs);
      onNotOpen();
      return Promise.resolve({ status: "dropped", reason: "not-open" });
    },
    close() {
      if (isClosed) return;
      isClosed = true;
      inner?.close();
      onClose(stream);
    },
  };

  const stream: ResumedStream = {
    facade,
    async openIn(next, isPresent) {
      if (isClosed) return;
      // A session that drains admits nothing more, so this number stays.
      nextFrame = facade.nextFrame;
      const opened = await next.openStream({ ...options, firstFrame: nextFrame });
      if (isClosed || !isPresent()) {
        opened.close();
        return;
      }
      owner = next;
      take(opened);
    },
    forget(ended) {
      if (owner !== ended) return;
      nextFrame = facade.nextFrame;
      owner = undefined;
      inner = undefined;
    },
  };
  return stream;
}

/** Whether a stream was refused for a reason of its own: the session goes on without it. */
export function isRejection(error: unknown): error is ClientError {
  return error instanceof ClientError && error.kind === "stream-rejected";
}
