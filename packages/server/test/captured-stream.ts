/** A seeded stream whose frames are received with losses and captured, as the server does it. */
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseCodec } from "@sluice/codec";
import {
  ErrorCode,
  type ReceivedFrame,
  type TensorStreamOptions,
  tensorStreamDefaults,
} from "@sluice/protocol";
import { createCapture, createSinkModel, type ServedStream } from "@sluice/server";
import { createRandom } from "@sluice/simnet";
import { createTensor } from "@sluice/tensor";
import type { Test } from "tap";
import { answerTensor } from "#src/answer-tensor.js";
import { createTensorReceiver } from "#src/tensor-receiver.js";

const spec = { dtype: "float32", shape: [3, 8, 8], layout: "chw" } as const;

export interface CapturedStreamOptions {
  readonly seed: number;
  /** Which frames, as `createCapture` takes it. */
  readonly frames: string;
  readonly count: number;
  readonly codec?: string;
  readonly served?: ServedStream;
  /** Frames that the server sheds before they are decoded. */
  readonly late?: readonly number[];
  /** Frames that end behind the one after them. */
  readonly slow?: readonly number[];
}

/** @returns the one capture's path and bytes, and how many frames were offered to it */
export async function captureStream(t: Test, options: CapturedStreamOptions) {
  const directory = await mkdtemp(join(tmpdir(), "sluice-capture-"));
  t.teardown(() => rm(directory, { recursive: true }));
  const { seed, count, codec = "raw", served = createSinkModel(), late = [], slow = [] } = options;
  const random = createRandom(seed);
  const wanted: TensorStreamOptions = {
    ...tensorStreamDefaults,
    ...{ spec, split: "add/3", model: "m", codec, mode: "datagram", deadlineMs: 100, concealment: "" },
    statisticsHash: new Uint8Array(0),
  };
  const capture = await createCapture({ directory, frames: options.frames, today: () => 0 });
  const receiver = await createTensorReceiver(wanted, served);
  const stream = capture.openStream(wanted, receiver);
  const encoder = parseCodec(codec).createEncoder(spec);
  let ending = () => {};
  for (let number = 0; number < count; number++) {
    const values = Float32Array.from({ length: 192 }, (_, i) => Math.sin(i / 7 + number / 5) + random.next());
    const { slices } = encoder.encode(createTensor("float32", spec.shape, values), 100, { frame: number });
    const rate = random.next() < 0.5 ? 0 : random.next();
    const came = slices.filter(() => random.next() >= rate);
    const frame: ReceivedFrame = {
      ...{ stream: 1, frame: number, slicesRecovered: 0, units: receiver.units, unitsReceived: came.length },
      slices: came.map((slice, i) => ({ ...slice, arrivalMs: number + i / 8, isRecovered: i === 3 })),
      ...{ firstArrivalMs: number, lastArrivalMs: number + 1, capturedMs: number, expiresAtMs: number + 100 },
    };
    if (late.includes(number)) {
      stream.shed(frame, ErrorCode.expiredInQueue, number + 101);
      continue;
    }
    const own = stream.begin(frame);
    const received = receiver.receive(frame, () => 0);
    own.decoded(received);
    const answer = received
      ? await answerTensor(served, received, { frameNumber: number, inferenceMs: 1.5, format: "messagepack" })
      : new Uint8Array(0);
    const before = ending;
    const end = () =>
      received
        ? own.end({ outcome: "done", answer }, number + 2)
        : own.end({ outcome: "undecodable", code: ErrorCode.nothingDecodable, answer }, number + 2);
    ending = slow.includes(number) ? end : () => {};
    if (!slow.includes(number)) end();
    before();
  }
  await capture.close();
  const [name] = await readdir(directory);
  if (name === undefined) return undefined;
  const path = join(directory, name);
  return {
    path,
    bytes: new Uint8Array(await readFile(path)),
    rewrite: (bytes: Uint8Array) => writeFile(path, bytes),
  };
}
