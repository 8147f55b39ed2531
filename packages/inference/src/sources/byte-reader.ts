import { ModelError } from "../model-error.js";

/** Reads pieces of known size from a stream of bytes that comes in chunks of any. */
export interface ByteReader {
  /** The next bytes, copied; `undefined` where the stream ends before the first. @throws ModelError where it ends within */
  read(bytes: number): Promise<Uint8Array | undefined>;
  /** Text up to a newline, without it; `undefined` at the end. @throws ModelError where it is longer than `maxBytes` */
  readLine(maxBytes: number): Promise<string | undefined>;
  /** Lets go of the stream. */
  close(): Promise<void>;
}

const newline = 0x0a;

/** @param what names the stream in errors */
export function createByteReader(source: AsyncIterable<Uint8Array>, what: string): ByteReader {
  const chunks = source[Symbol.asyncIterator]();
  let chunk: Uint8Array = new Uint8Array(0);

  /** Whether there is something left to read. */
  async function fill(): Promise<boolean> {
    while (chunk.length === 0) {
      const next = await chunks.next();
      if (next.done) return false;
      chunk = next.value;
    }
    return true;
  }

  return {
    async read(bytes) {
      const whole = new Uint8Array(bytes);
      let filled = 0;
      while (filled < bytes) {
        if (!(await fill())) {
          if (filled === 0) return undefined;
          throw new ModelError(
            "unreadable",
            `${what}: ends after ${filled} of the ${bytes} bytes of a frame`,
          );
        }
        const part = chunk.subarray(0, bytes - filled);
        whole.set(part, filled);
        filled += part.length;
        chunk = chunk.subarray(part.length);
      }
      return whole;
    },
    async readLine(maxBytes) {
      const line: number[] = [];
      while (await fill()) {
        const byte = chunk[0]!;
        chunk = chunk.subarray(1);
        if (byte === newline) return String.fromCharCode(...line);
        line.push(byte);
        if (line.length > maxBytes) {
          throw new ModelError("unreadable", `${what}: a line of more than ${maxBytes} bytes in a header`);
        }
      }
      return line.length === 0 ? undefined : String.fromCharCode(...line);
    },
    async close() {
      await chunks.return?.();
    },
  };
}
