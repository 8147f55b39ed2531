import { ReadableStream, WritableStream } from "node:stream/web";
import type { BidirectionalStream, ReceiveStream, SendStream } from "@sluice/transport";
import { streamErrorCodeOf, toWebTransportError } from "./web-transport-error.js";

/** What may be written: the standard's BufferSource. */
export type Chunk = ArrayBuffer | ArrayBufferView;

/** https://www.w3.org/TR/webtransport/#webtransportbidirectionalstream */
export interface WebTransportBidirectionalStream {
  readonly readable: ReadableStream<Uint8Array>;
  readonly writable: WritableStream<Chunk>;
}

export function createBidirectionalStreams({
  send,
  receive,
}: BidirectionalStream): WebTransportBidirectionalStream {
  return { readable: createReadable(receive), writable: createWritable(send) };
}

/** A writable stream over a sending half: a write settles when the half can take more; `abort` resets it. */
export function createWritable(send: SendStream): WritableStream<Chunk> {
  return new WritableStream<Chunk>({
    start(controller) {
      // Node has it; its types do not.
      const { signal } = controller as typeof controller & { readonly signal: AbortSignal };
      // The sink's own `abort` would wait for the write that is going on, which may be what is to be given up.
      signal.addEventListener("abort", () => send.reset(streamErrorCodeOf(signal.reason)), { once: true });
    },
    async write(chunk) {
      try {
        await send.write(toBytes(chunk));
      } catch (error) {
        throw toWebTransportError(error);
      }
    },
    async close() {
      try {
        await send.finish();
      } catch (error) {
        throw toWebTransportError(error);
      }
    },
  });
}

/** A byte stream over a receiving half; nothing is read ahead. `cancel` stops it. */
export function createReadable(receive: ReceiveStream): ReadableStream<Uint8Array> {
  return new ReadableStream(
    {
      type: "bytes",
      async pull(controller) {
        try {
          const chunk = await receive.read();
          if (chunk !== undefined) {
            controller.enqueue(ownBuffer(chunk));
            return;
          }
        } catch (error) {
          throw toWebTransportError(error);
        }
        controller.close();
        // A waiting `read(view)` ends only with this.
        controller.byobRequest?.respond(0);
      },
      cancel(reason) {
        receive.stop(streamErrorCodeOf(reason));
      },
    },
    { highWaterMark: 0 },
  );
}

/** The bytes in a buffer of their own: a byte stream takes the whole buffer away. */
function ownBuffer(bytes: Uint8Array): Uint8Array {
  return bytes.byteLength === bytes.buffer.byteLength ? bytes : new Uint8Array(bytes);
}

/** The bytes of a chunk; throws a TypeError for anything else. */
export function toBytes(chunk: unknown): Uint8Array {
  if (ArrayBuffer.isView(chunk)) return new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  if (chunk instanceof ArrayBuffer) return new Uint8Array(chunk);
  throw new TypeError("a chunk must be an ArrayBuffer or a view of one");
}
