/** Large results on their way to a client, each on a unidirectional stream of its own (spec 7.4). */
import { createFrameTable, type ResultUpload } from "@sluice/protocol";
import type { SendStream, Session } from "@sluice/transport";

export interface ResultUploads {
  push(result: ResultUpload): void;
  /** It needs no more care; with a code its stream is reset, or never opened. */
  end(stream: number, frame: number, resetCode: number | undefined): void;
}

export interface ResultUploadsOptions {
  /** The client does not want it, or its stream has failed. */
  readonly onFailed: (stream: number, frame: number) => void;
}

export function createResultUploads(session: Session, { onFailed }: ResultUploadsOptions): ResultUploads {
  const waiting = createFrameTable<ResultUpload>();
  const sending = createFrameTable<SendStream>();
  let opening = false;
  /** One that was opened for a result which was given up meanwhile. */
  let spare: SendStream | undefined;

  /** One at a time: where the client allows no more streams, what waits is given up by its time and piles up nowhere. */
  async function open(): Promise<void> {
    opening = true;
    try {
      while (waiting.size > 0) {
        const stream = spare ?? (await session.openUnidirectional());
        const result = waiting.shift();
        spare = result ? undefined : stream;
        if (!result) break;
        sending.set(result.stream, result.frame, stream);
        void send(stream, result);
      }
    } catch {
      // The session has ended.
      waiting.clear();
    }
    opening = false;
  }

  async function send(stream: SendStream, result: ResultUpload): Promise<void> {
    try {
      await (stream.give?.(result.bytes) ?? stream.write(result.bytes));
      await stream.finish();
    } catch {
      // Where it was reset by `end`, it is not looked after any more.
      if (sending.take(result.stream, result.frame)) onFailed(result.stream, result.frame);
    }
  }

  return {
    push(result) {
      waiting.set(result.stream, result.frame, result);
      if (!opening) void open();
    },
    end(stream, frame, resetCode) {
      waiting.take(stream, frame);
      const sent = sending.take(stream, frame);
      if (resetCode !== undefined) sent?.reset(resetCode);
    },
  };
}
