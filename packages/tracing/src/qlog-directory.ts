/** Files of qlog, one for each session. */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "@sluice/transport";
import { openBoundedFile } from "./bounded-file.js";
import { createExportQueue, type ExportFigures, type Sent } from "./export-queue.js";
import type { TraceSide } from "./frame-trace.js";
import { formatQlogEvent, formatQlogHeader, qlogSuffix } from "./qlog-record.js";
import type { ToldEvent } from "./told-event.js";

export interface QlogDirectoryOptions {
  readonly directory: string;
  readonly side: TraceSide;
  readonly version: string;
  readonly clock: Clock;
  random(): number;
  /** The time of day, in milliseconds since 1970. */
  today(): number;
  /** Bytes of one session's file. Default 256 MiB. */
  readonly maxFileBytes?: number;
  /** Bytes of all files of this process. Default 4 GiB. */
  readonly maxBytes?: number;
  onFailure(reason: string): void;
}

export interface QlogDirectory {
  /** A session begins. */
  open(session: string): (event: ToldEvent) => void;
  /** Events that were written, dropped and not written. */
  readonly figures: ExportFigures;
  close(timeoutMs: number): Promise<void>;
}

interface QlogFile {
  observe(event: ToldEvent): void;
  readonly figures: ExportFigures;
  close(timeoutMs: number): Promise<void>;
}

const maxWaitingEvents = 16_384;
const batchEvents = 2_048;
const intervalMs = 500;
/** How long a session's last events may take. */
const closeMs = 5_000;
const directoryMode = 0o700;

/** @throws the system's error where the directory cannot be made */
export async function openQlogDirectory(options: QlogDirectoryOptions): Promise<QlogDirectory> {
  const { directory, side, version, clock, onFailure } = options;
  const { maxFileBytes = 256 * 1024 ** 2, maxBytes = 4 * 1024 ** 3 } = options;
  await mkdir(directory, { recursive: true, mode: directoryMode });
  const open = new Set<QlogFile>();
  let ended: ExportFigures = { exported: 0, dropped: 0, failed: 0 };
  let sessions = 0;
  let bytes = 0;
  let isFailing = false;

  /** A disk that is full is full for all sessions: it is said once, not for each. */
  function tellFailure(reason: string): void {
    if (!isFailing) onFailure(reason);
    isFailing = true;
  }

  function openFile(session: string): QlogFile {
    const startMs = clock.now();
    const startedAt = new Date(options.today()).toISOString();
    const place = String(++sessions).padStart(4, "0");
    const time = startedAt.replaceAll(/[-:]|\.\d+/g, "");
    const path = join(directory, `${time}-${process.pid}-${place}-${session}-${side}${qlogSuffix}`);
    const header = formatQlogHeader({ side, session, startedAt, version });
    let file: Awaited<ReturnType<typeof openBoundedFile>> | undefined;
    // A full disk may take the file and not its first line.
    let isBegun = false;

    async function send(batch: readonly string[]): Promise<Sent> {
      try {
        const text = isBegun ? batch.join("") : `${header}${batch.join("")}`;
        if (bytes + text.length > maxBytes)
          throw new Error(`all files have the ${maxBytes} bytes that they may have`);
        file ??= await openBoundedFile(path, maxFileBytes);
        await file.append(text);
        isBegun = true;
        bytes += text.length;
        isFailing = false;
        return { outcome: "done" };
      } catch (error) {
        return { outcome: "refused", reason: `${path}: ${(error as Error).message}` };
      }
    }

    const queue = createExportQueue<string>({
      ...{ clock, random: options.random, send, onFailure: tellFailure },
      ...{ maxWaiting: maxWaitingEvents, maxBatch: batchEvents, intervalMs },
    });
    const observe = (event: ToldEvent) => queue.push(formatQlogEvent(event, clock.now(), startMs));
    return {
      observe,
      get figures() {
        return queue.figures;
      },
      async close(timeoutMs) {
        await queue.close(timeoutMs);
        await file?.close().catch(() => {});
        file = undefined;
      },
    };
  }

  const close = async (file: QlogFile, timeoutMs: number) => {
    await file.close(timeoutMs);
    if (open.delete(file)) ended = sum(ended, file.figures);
  };

  return {
    open(session) {
      const file = openFile(session);
      open.add(file);
      return (event) => {
        file.observe(event);
        if (event.name === "session_closed") void close(file, closeMs);
      };
    },
    get figures() {
      return [...open].reduce((all, { figures }) => sum(all, figures), ended);
    },
    async close(timeoutMs) {
      await Promise.all([...open].map((file) => close(file, timeoutMs)));
    },
  };
}

function sum(a: ExportFigures, b: ExportFigures): ExportFigures {
  return { exported: a.exported + b.exported, dropped: a.dropped + b.dropped, failed: a.failed + b.failed };
}
