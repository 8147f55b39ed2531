import { type FileHandle, open } from "node:fs/promises";
import type { CapturedFrame, CapturedStream } from "./capture-record.js";
import { CaptureError, decodeCapturedFrame, decodeCapturedStream } from "./decode-capture.js";
import { captureMagic, lengthBytes } from "./encode-capture.js";

/** Where a frame's record stands, and what orders it. */
export interface CaptureEntry {
  readonly frame: number;
  /** `undefined`: it was not decoded. */
  readonly ordinal: number | undefined;
  readonly hasState: boolean;
  readonly offset: number;
  readonly length: number;
}

/** An open capture. */
export interface CaptureReader {
  readonly stream: CapturedStream;
  /** All frames in the order in which they are to be decoded. */
  readonly entries: readonly CaptureEntry[];
  /** Bytes behind the last whole record: the server ended while it wrote. */
  readonly bytesCut: number;
  read(entry: CaptureEntry): Promise<CapturedFrame>;
  close(): Promise<void>;
}

/** A record is read as a whole. The largest has a tensor, its slices and what it may be predicted from. */
const maxRecordBytes = 256 * 1024 * 1024;
const maxEntries = 1_000_000;

/** @throws CaptureError where the file is none or lies, the file system's error where it cannot be read */
export async function openCaptureFile(path: string): Promise<CaptureReader> {
  const file = await open(path, "r");
  try {
    return await readIndex(file);
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function readIndex(file: FileHandle): Promise<CaptureReader> {
  const { size } = await file.stat();
  const magic = await readAt(file, 0, Math.min(size, captureMagic.length));
  if (magic.length < captureMagic.length || captureMagic.some((byte, i) => byte !== magic[i])) {
    throw new CaptureError("not a capture: it does not begin as one");
  }
  let offset = captureMagic.length;
  const next = async (): Promise<{ offset: number; length: number } | undefined> => {
    if (size - offset < lengthBytes) return undefined;
    const head = await readAt(file, offset, lengthBytes);
    const length = new DataView(head.buffer, head.byteOffset).getUint32(0);
    if (length > maxRecordBytes) {
      throw new CaptureError(`record at byte ${offset}: ${length} bytes, at most ${maxRecordBytes} are read`);
    }
    if (size - offset - lengthBytes < length) return undefined;
    const record = { offset: offset + lengthBytes, length };
    offset = record.offset + length;
    return record;
  };
  const first = await next();
  if (!first) throw new CaptureError("not a capture: its first record is not whole");
  const stream = decodeCapturedStream(await readAt(file, first.offset, first.length));
  const read = async ({ offset: at, length }: { offset: number; length: number }) => {
    try {
      return decodeCapturedFrame(await readAt(file, at, length), stream);
    } catch (cause) {
      if (!(cause instanceof CaptureError)) throw cause;
      throw new CaptureError(`record at byte ${at}: ${cause.message}`, { cause });
    }
  };
  const entries: CaptureEntry[] = [];
  for (let record = await next(); record; record = await next()) {
    if (entries.length >= maxEntries) throw new CaptureError(`over ${maxEntries} frames in one capture`);
    const { frame, ordinal, state } = await read(record);
    entries.push({ ...record, frame, ordinal, hasState: state !== undefined });
  }
  return {
    ...{ stream, entries: inOrder(entries), bytesCut: size - offset, read },
    close: () => file.close(),
  };
}

/** Frames are written as they end, and several are worked on at once. Those that were not decoded stay behind their neighbours. */
function inOrder(entries: readonly CaptureEntry[]): CaptureEntry[] {
  let last = -1;
  const ordered = entries.map((entry) => {
    last = entry.ordinal ?? last;
    return { entry, ordinal: last };
  });
  return ordered.sort((a, b) => a.ordinal - b.ordinal).map(({ entry }) => entry);
}

async function readAt(file: FileHandle, offset: number, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  let done = 0;
  while (done < length) {
    const { bytesRead } = await file.read(bytes, done, length - done, offset + done);
    if (bytesRead === 0) throw new CaptureError("the file became shorter while it was read");
    done += bytesRead;
  }
  return bytes;
}
