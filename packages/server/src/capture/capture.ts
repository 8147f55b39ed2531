import type { TensorStreamOptions } from "@sluice/protocol";
import type { ServerLog } from "../server-observer.js";
import type { TensorReceiver } from "../tensor-receiver.js";
import { type CaptureFigures, captureSuffix, openCaptureDirectory } from "./capture-directory.js";
import { defaultFrameSample, parseFrameSample } from "./frame-sample.js";
import { createStreamCapture, type StreamCapture } from "./stream-capture.js";

export interface CaptureOptions {
  /** Made where it is missing; one file for each tensor stream of which a frame is captured. */
  readonly directory: string;
  /** Which frames: `all`, `bad:concealed=PERCENT` (also what is undecodable, failed or late) or `every:n=N`. Default `bad:concealed=20`. */
  readonly frames?: string;
  /** Bytes of all captures in the directory; where they are reached the capturing ends, with a line in the log. Default 1 GiB. */
  readonly maxBytes?: number;
  readonly log?: Pick<ServerLog, "error">;
  /** The time of day, in milliseconds since 1970. */
  readonly today?: () => number;
}

/** Keeps frames for `sluice replay`. It never holds the service up. */
export interface Capture {
  /** A tensor stream was opened. */
  openStream(options: TensorStreamOptions, receiver: TensorReceiver): StreamCapture;
  /** What has become of the frames that were to be kept. */
  readonly figures: CaptureFigures;
  /** Resolves when all is written. */
  close(): Promise<void>;
}

export const defaultCaptureBytes = 1024 ** 3;

/** @throws RangeError for `frames`, the file system's error where the directory cannot be used */
export async function createCapture(options: CaptureOptions): Promise<Capture> {
  const { directory, maxBytes = defaultCaptureBytes, log = { error() {} }, today = Date.now } = options;
  const sample = parseFrameSample(options.frames ?? defaultFrameSample);
  const files = await openCaptureDirectory({ directory, maxBytes, log });
  let streams = 0;
  return {
    openStream(stream, receiver) {
      const startedAt = new Date(today()).toISOString();
      const file = `${fileName(startedAt, ++streams, stream)}${captureSuffix}`;
      const head = {
        startedAt,
        options: { ...stream, concealment: receiver.concealment },
        units: receiver.units,
        modelHash: receiver.served.modelHash ?? new Uint8Array(0),
        provider: receiver.served.provider ?? "",
      };
      return createStreamCapture({ head, sample, receiver, append: (bytes) => files.append(file, bytes) });
    },
    get figures() {
      return files.figures;
    },
    close: files.close,
  };
}

/** Of two servers in one directory, each has its own: names hold the process. */
function fileName(startedAt: string, place: number, { model, split }: TensorStreamOptions): string {
  const time = startedAt.replaceAll(/[-:]|\.\d+/g, "");
  const what = `${model}-${split}`.replaceAll(/[^\w.-]+/g, "_").slice(0, 60);
  return `${time}-${process.pid}-${String(place).padStart(4, "0")}-${what}`;
}
