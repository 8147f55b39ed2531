/** A file that grows to its bound and no further; a disk that is full costs what was to be written, and nothing else. */
import { type FileHandle, open } from "node:fs/promises";

export interface BoundedFile {
  /** Appends a text wholly or not at all. @throws Error with the reason; what was there before stays as it was */
  append(text: string): Promise<void>;
  close(): Promise<void>;
}

/** What a session does is its users' own. */
const fileMode = 0o600;

/** Opens a file to append to. @throws the system's error */
export async function openBoundedFile(path: string, maxBytes: number): Promise<BoundedFile> {
  // Not in the append mode of the system: there is no writing over the rest of what failed then.
  const file = await open(path, "r+").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return open(path, "wx+", fileMode);
    throw error;
  });
  let size = (await file.stat()).size;
  return {
    async append(text) {
      const bytes = Buffer.from(text);
      if (size + bytes.length > maxBytes)
        throw new Error(`the file has the ${maxBytes} bytes that it may have`);
      try {
        await writeAll(file, bytes, size);
      } catch (error) {
        // A part of a line would spoil the next one. A disk that cannot even do that is written over later.
        await file.truncate(size).catch(() => {});
        throw error;
      }
      size += bytes.length;
    },
    close: () => file.close(),
  };
}

async function writeAll(file: FileHandle, bytes: Buffer, at: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await file.write(bytes, done, bytes.length - done, at + done);
    done += bytesWritten;
  }
}
