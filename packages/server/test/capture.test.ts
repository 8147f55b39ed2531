import { mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ErrorCode, type TensorStreamOptions, tensorStreamDefaults } from "@sluice/protocol";
import {
  createCapture,
  createSinkModel,
  openCaptureFile,
  type ReplayedFrame,
  replayCapture,
  type ServedStream,
  serveEach,
} from "@sluice/server";
import t, { type Test } from "tap";
import { openCaptureDirectory } from "#src/capture/capture-directory.js";
import { isSampled, parseFrameSample } from "#src/capture/frame-sample.js";
import { createTensorReceiver } from "#src/tensor-receiver.js";
import { captureStream } from "./captured-stream.js";

const seed = Number(process.env.SLUICE_SEED ?? 20261127);
t.comment(`seed ${seed}`);

async function replayAll(t: Test, path: string, served: ServedStream = createSinkModel(), frame?: number) {
  const reader = await openCaptureFile(path);
  t.teardown(() => reader.close());
  const frames: ReplayedFrame[] = [];
  const options = { openServedStream: async () => served, ...(frame === undefined ? {} : { frame }) };
  for await (const replayed of replayCapture(reader, options)) frames.push(replayed);
  return { reader, frames };
}

const isSame = ({ isSameTensor, isSameMask, isSameAnswer }: ReplayedFrame) =>
  isSameTensor === true && isSameMask === true && isSameAnswer === true;

t.test("every frame of a lossy stream is replayed bit for bit, whichever are captured", async (t) => {
  const counts: Record<string, number> = {};
  for (const frames of ["all", "bad:concealed=20", "every:n=7"]) {
    const captured = await captureStream(t, { seed, frames, count: 60, slow: [3, 4, 20] });
    const { reader, frames: replayed } = await replayAll(t, captured!.path);
    t.equal(reader.bytesCut, 0);
    counts[frames] = replayed.length;
    const wrong = replayed.filter((frame) => !isSame(frame)).map(({ captured }) => captured.frame);
    t.strictSame(wrong, [], frames);
    for (const { captured, now } of replayed) {
      if (captured.outcome === "undecodable") t.equal(now?.received, undefined);
      else t.equal(now?.received?.context.missingCount, captured.tensor?.missingCount);
    }
  }
  t.equal(counts.all, 60);
  t.equal(counts["every:n=7"], 9);
  t.ok(
    counts["bad:concealed=20"]! > 10 && counts["bad:concealed=20"]! < 40,
    `${counts["bad:concealed=20"]} bad`,
  );
});

t.test("one frame of a whole capture is replayed with those that it builds on", async (t) => {
  const captured = await captureStream(t, {
    seed,
    frames: "all",
    count: 30,
    codec: "quantize:levels=16,clip=4",
  });
  const all = await replayAll(t, captured!.path);
  const concealed = all.frames.find(({ captured: { frame, tensor } }) => frame > 15 && tensor?.missingCount);
  const wanted = concealed!.captured.frame;
  const { frames } = await replayAll(t, captured!.path, createSinkModel(), wanted);
  t.equal(frames.length, 1);
  t.ok(isSame(frames[0]!));
  t.strictSame(frames[0]!.now?.received?.tensor, concealed!.now?.received?.tensor);
});

t.test("what the server received is told: arrivals, recovered slices, ends", async (t) => {
  const captured = await captureStream(t, { seed, frames: "all", count: 6, late: [2] });
  const { reader, frames } = await replayAll(t, captured!.path);
  t.match(reader.stream, {
    ...{ startedAt: "1970-01-01T00:00:00.000Z", units: 192 },
    options: { model: "m", split: "add/3", codec: "raw", concealment: "auto", deadlineMs: 100 },
  });
  t.strictSame(
    frames.map(({ captured: { frame } }) => frame),
    [0, 1, 2, 3, 4, 5],
  );
  const late = frames[2]!;
  t.match(late.captured, { outcome: "expired", code: ErrorCode.expiredInQueue, endedMs: 103 });
  t.equal(late.isSameTensor, undefined, "the server made nothing of it");
  const [whole] = frames.filter(({ captured }) => captured.slices.length > 4);
  t.match(whole?.captured.slices[3], { isRecovered: true, arrivalMs: whole!.captured.frame + 3 / 8 });
});

t.test("another model is found out", async (t) => {
  const captured = await captureStream(t, { seed, frames: "all", count: 5 });
  const { frames } = await replayAll(
    t,
    captured!.path,
    serveEach(async () => ({ checksum: 1 })),
  );
  const answered = frames.filter(({ captured }) => captured.outcome === "done");
  t.ok(answered.length > 0);
  t.ok(answered.every(({ isSameTensor, isSameAnswer }) => isSameTensor === true && isSameAnswer === false));
});

t.test("without what it builds on, a frame is not replayed and not said to be the same", async (t) => {
  const captured = await captureStream(t, { seed, frames: "all", count: 8 });
  const { reader } = await replayAll(t, captured!.path);
  const third = reader.entries[2]!;
  const { bytes } = captured!;
  const gap = { from: third.offset - 4, to: third.offset + third.length };
  await captured!.rewrite(Uint8Array.from([...bytes.subarray(0, gap.from), ...bytes.subarray(gap.to)]));
  const { frames } = await replayAll(t, captured!.path);
  t.strictSame(
    frames.map((frame) => (frame.now ? isSame(frame) : undefined)),
    [true, true, undefined, undefined, undefined, undefined, undefined],
  );
});

t.test("which frames", async (t) => {
  t.strictSame(parseFrameSample("all"), { kind: "all" });
  t.strictSame(parseFrameSample("bad"), { kind: "bad", maxConcealedShare: 0.2 });
  t.strictSame(parseFrameSample("every:n=3"), { kind: "every", n: 3 });
  for (const text of ["", "some", "bad:concealed=101", "every:n=0", "every", "all:n=1", "bad:n=2"]) {
    t.throws(() => parseFrameSample(text), { name: "RangeError", message: /^frames/ }, text);
  }
  const bad = parseFrameSample("bad:concealed=10");
  const frame = { place: 1, isLost: false, concealedShare: 0.1 };
  t.equal(isSampled(bad, frame), false);
  t.equal(isSampled(bad, { ...frame, concealedShare: 0.11 }), true);
  t.equal(isSampled(bad, { ...frame, isLost: true }), true);
});

t.test("the disk: bounded, earlier captures included, and one line where it ends", async (t) => {
  const directory = await mkdtemp(join(tmpdir(), "sluice-capture-"));
  t.teardown(() => rm(directory, { recursive: true }));
  const lines: string[] = [];
  const log = { error: (_: object, message: string) => lines.push(message) };
  const first = await openCaptureDirectory({ directory, maxBytes: 1_000, log });
  t.ok(first.append("a.capture", new Uint8Array(600)));
  await first.close();
  t.strictSame(first.figures, { written: 1, skipped: 0, waiting: 0 });
  const second = await openCaptureDirectory({ directory, maxBytes: 1_000, log });
  t.notOk(second.append("b.capture", new Uint8Array(401)), "600 are there already");
  t.notOk(second.append("b.capture", new Uint8Array(1)), "it has ended");
  t.ok(second.hasEnded);
  t.strictSame(second.figures, { written: 0, skipped: 2, waiting: 0 });
  await second.close();
  t.strictSame(await readdir(directory), ["a.capture"]);
  t.equal((await stat(join(directory, "a.capture"))).mode & 0o777, 0o600);
  t.equal(lines.length, 1);
  t.match(lines[0], /capturing ends/);
});

t.test("a disk that fails ends the capturing and nothing else", async (t) => {
  const directory = await mkdtemp(join(tmpdir(), "sluice-capture-"));
  const lines: string[] = [];
  const capture = await createCapture({
    ...{ directory, frames: "all" },
    log: { error: (_, message) => lines.push(message) },
  });
  await rm(directory, { recursive: true });
  const spec = { dtype: "uint8", shape: [4], layout: "any" } as const;
  const options: TensorStreamOptions = {
    ...tensorStreamDefaults,
    ...{ spec, split: "", model: "sink", codec: "raw", mode: "datagram", deadlineMs: 100, concealment: "" },
    statisticsHash: new Uint8Array(0),
  };
  const stream = capture.openStream(options, await createTensorReceiver(options, createSinkModel()));
  const frame = {
    ...{ stream: 1, frame: 0, slices: [], slicesRecovered: 0, unitsReceived: 0, units: 4 },
    ...{ firstArrivalMs: 0, lastArrivalMs: 0, capturedMs: 0, expiresAtMs: 9 },
  };
  for (let i = 0; i < 3; i++) stream.begin(frame).end({ outcome: "failed", answer: new Uint8Array(0) }, 1);
  await capture.close();
  t.strictSame(capture.figures, { written: 0, skipped: 3, waiting: 0 });
  t.equal(lines.length, 1);
  t.match(lines[0], /the disk takes no more/);
});
