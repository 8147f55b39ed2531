import { appendFile, mkdir, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import type { ServerLog } from "../server-observer.js";

export interface CaptureDirectoryOptions {
  readonly directory: string;
  /** Bytes that all captures in the directory may have together, those of earlier runs included. */
  readonly maxBytes: number;
  readonly log: Pick<ServerLog, "error">;
}

/** Where captures are written, one file after the other and bounded. Whatever happens to the disk, nobody waits for it. */
export interface CaptureDirectory {
  /** `false`: not written, for the disk is behind or the capturing has ended. */
  append(file: string, bytes: Uint8Array): boolean;
  /** Nothing is written any more; it has been logged why. */
  readonly hasEnded: boolean;
  readonly figures: CaptureFigures;
  /** Resolves when all that was taken is on the disk. */
  close(): Promise<void>;
}

/** What has become of the frames that were to be kept, since the start. */
export interface CaptureFigures {
  /** On the disk. */
  readonly written: number;
  /** Not written: the disk was behind or full, or the bytes of all captures were reached. */
  readonly skipped: number;
  readonly waiting: number;
}

/** The end of the names of captures. */
export const captureSuffix = ".capture";

/** Bytes that wait for the disk at most. */
const maxWaitingBytes = 64 * 1024 * 1024;
/** Captures show what users sent: to the owner only. */
const fileMode = 0o600;
const directoryMode = 0o700;

/** @throws the file system's error where the directory can be neither made nor read */
export async function openCaptureDirectory(options: CaptureDirectoryOptions): Promise<CaptureDirectory> {
  const { directory, maxBytes, log } = options;
  await mkdir(directory, { recursive: true, mode: directoryMode });
  let usedBytes = await sizeOfCaptures(directory);
  let waitingBytes = 0;
  const figures = { written: 0, skipped: 0, waiting: 0 };
  let hasEnded = false;
  let writing = Promise.resolve();

  function end(reason: string, fields: object): void {
    if (hasEnded) return;
    hasEnded = true;
    log.error({ directory, ...fields }, `capturing ends: ${reason}`);
  }

  async function write(file: string, bytes: Uint8Array): Promise<void> {
    try {
      if (hasEnded) figures.skipped++;
      else {
        await appendFile(join(directory, file), bytes, { mode: fileMode });
        figures.written++;
      }
    } catch (err) {
      figures.skipped++;
      end("the disk takes no more", { err });
    }
    figures.waiting--;
    waitingBytes -= bytes.length;
  }

  return {
    append(file, bytes) {
      if (!hasEnded && usedBytes + bytes.length > maxBytes) {
        end("the directory has the bytes that it may have", { maxBytes });
      }
      if (hasEnded || waitingBytes + bytes.length > maxWaitingBytes) {
        figures.skipped++;
        return false;
      }
      figures.waiting++;
      usedBytes += bytes.length;
      waitingBytes += bytes.length;
      writing = writing.then(() => write(file, bytes));
      return true;
    },
    get hasEnded() {
      return hasEnded;
    },
    get figures() {
      return { ...figures };
    },
    close: () => writing,
  };
}

async function sizeOfCaptures(directory: string): Promise<number> {
  const names = (await readdir(directory)).filter((name) => name.endsWith(captureSuffix));
  const sizes = await Promise.all(names.map(async (name) => (await stat(join(directory, name))).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}
