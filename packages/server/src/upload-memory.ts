/** The memory of tensors that come on streams of their own, which is given back as soon as it is of no more use. */
import type { ReceiveStream } from "@sluice/transport";

export interface UploadMemory {
  /** A stream has begun. */
  open(stream: ReceiveStream): Upload;
  /** Slices were decoded, and nobody looks at them again. */
  handleDecoded(slices: readonly { readonly payload: Uint8Array }[]): void;
}

/** What comes on one stream. */
export interface Upload {
  add(chunk: Uint8Array): void;
  /** The stream is over, and nobody waits for the rest of a slice that is in a chunk. */
  end(): void;
}

interface OpenUpload {
  readonly stream: ReceiveStream;
  isOver: boolean;
  /** What slices that were decoded stood in, while the stream goes on. */
  readonly used: Set<Uint8Array>;
}

/** A chunk, and who it came for. */
interface Chunk {
  readonly bytes: Uint8Array;
  readonly upload: OpenUpload;
}

/** Keeps no chunk alive: what is never decoded is left to the collector. */
export function createUploadMemory(): UploadMemory {
  const chunks = new WeakMap<ArrayBufferLike, Chunk>();

  function free(upload: OpenUpload): void {
    if (!upload.isOver || upload.used.size === 0) return;
    upload.stream.release?.([...upload.used]);
    upload.used.clear();
  }

  return {
    open(stream) {
      const upload: OpenUpload = { stream, isOver: false, used: new Set() };
      return {
        add(bytes) {
          if (stream.release) chunks.set(bytes.buffer, { bytes, upload });
        },
        end() {
          upload.isOver = true;
          free(upload);
        },
      };
    },
    handleDecoded(slices) {
      const uploads = new Set<OpenUpload>();
      for (const { payload } of slices) {
        // Datagrams, and slices that were put together out of two chunks, are in none.
        const chunk = chunks.get(payload.buffer);
        if (!chunk) continue;
        chunk.upload.used.add(chunk.bytes);
        uploads.add(chunk.upload);
      }
      for (const upload of uploads) free(upload);
    },
  };
}
