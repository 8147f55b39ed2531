// Captures come from anywhere: whatever a file says, reading it ends with a CaptureError or with frames.
import { writeFile } from "node:fs/promises";
import { CaptureError, createSinkModel, openCaptureFile, replayCapture, StreamRefusal } from "@sluice/server";
import { createRandom } from "@sluice/simnet";
import { TensorError } from "@sluice/tensor";
import { pack } from "msgpackr";
import t from "tap";
import { captureStream } from "./captured-stream.js";

const seed = Number(process.env.SLUICE_SEED ?? 20261127);
t.comment(`seed ${seed}`);

const made = (await captureStream(t, { seed, frames: "bad:concealed=10", count: 12 }))!;
const magicBytes = 8;

async function read(path: string): Promise<number> {
  const reader = await openCaptureFile(path);
  try {
    let frames = 0;
    const openServedStream = async () => createSinkModel();
    for await (const _ of replayCapture(reader, { openServedStream })) frames++;
    return frames;
  } finally {
    await reader.close();
  }
}

/** @returns the frames, or what was refused */
async function tryRead(bytes: Uint8Array): Promise<number | Error> {
  await writeFile(made.path, bytes);
  try {
    return await read(made.path);
  } catch (error) {
    if (error instanceof CaptureError || error instanceof StreamRefusal || error instanceof TensorError)
      return error;
    throw error;
  }
}

/** A capture of these records alone. */
function captureOf(...records: readonly unknown[]): Uint8Array {
  const parts = records.flatMap((record) => {
    const bytes = record instanceof Uint8Array ? record : pack(record);
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.length);
    return [length, bytes];
  });
  return Uint8Array.from(Buffer.concat([made.bytes.subarray(0, magicBytes), ...parts]));
}

const whole = await tryRead(made.bytes);

t.test("cut anywhere, it gives the frames before the cut", async (t) => {
  t.ok(typeof whole === "number" && whole > 2);
  const random = createRandom(seed);
  for (let i = 0; i < 60; i++) {
    const at = Math.floor(random.next() * made.bytes.length);
    const frames = await tryRead(made.bytes.subarray(0, at));
    if (typeof frames === "number") t.ok(frames <= (whole as number), `cut at ${at}`);
    else t.match(frames, { name: "CaptureError", message: /not a capture/ }, `cut at ${at}`);
  }
});

t.test("changed anywhere, it is refused or gives other frames", async (t) => {
  const random = createRandom(seed + 1);
  let refused = 0;
  for (let i = 0; i < 300; i++) {
    const bytes = made.bytes.slice();
    for (let k = 0; k <= i % 4; k++) {
      const at = Math.floor(
        random.next() * Math.min(bytes.length, i % 2 === 0 ? 600 : Number.POSITIVE_INFINITY),
      );
      bytes[at] = Math.floor(random.next() * 256);
    }
    if (typeof (await tryRead(bytes)) !== "number") refused++;
  }
  t.ok(refused > 20, `${refused} refused`);
});

t.test("lies are refused before anything is allocated for them", async (t) => {
  const huge = Uint8Array.from([...made.bytes.subarray(0, magicBytes), 0xff, 0xff, 0xff, 0xff]);
  const head = made.bytes.subarray(
    magicBytes + 4,
    magicBytes + 4 + new DataView(made.bytes.buffer).getUint32(magicBytes),
  );
  const good = {
    ...{
      frame: 1,
      slices: [],
      unitsReceived: 0,
      slicesRecovered: 0,
      capturedMs: 0,
      expiresAtMs: 0,
      endedMs: 0,
    },
    ...{ outcome: "done", answer: new Uint8Array(0), ordinal: 0 },
  };
  const frameOf = (changed: object) => captureOf(head, { ...good, ...changed });
  const slice = { index: 0, count: 1, payload: new Uint8Array(4), arrivalMs: 0 };
  const cases: readonly (readonly [string, Uint8Array, RegExp])[] = [
    ["no capture", new TextEncoder().encode("PNG file, 1,000 bytes"), /not a capture/],
    ["an empty file", new Uint8Array(0), /not a capture/],
    ["a record of 4 GiB", huge, /record at byte 8: 4294967295 bytes/],
    [
      "a list of 4 billion",
      captureOf(Uint8Array.of(0xdd, 0xff, 0xff, 0xff, 0xff)),
      /Unexpected end|not a map/,
    ],
    ["lists in lists", captureOf(new Uint8Array(2_000_000).fill(0x91)), /./],
    ["another version", captureOf({ version: 2 }), /version: 2 is not known here/],
    [
      "a stream without end",
      captureOf({ version: 1, open: new Uint8Array(70_000) }),
      /open: not 0 to 65536 bytes/,
    ],
    ["more units than elements", captureOf({ version: 1 }), /open/],
    ["a frame that is none", captureOf(head, 7), /record: not a map/],
    [
      "a slice beyond the tensor",
      frameOf({ slices: [{ ...slice, count: 193 }] }),
      /count: not a whole number/,
    ],
    ["an index beyond the count", frameOf({ slices: [{ ...slice, index: 1 }] }), /index: not a whole number/],
    [
      "time that is none",
      frameOf({ slices: [{ ...slice, arrivalMs: Number.NaN }] }),
      /arrivalMs: not a finite/,
    ],
    ["more missing than there is", frameOf({ tensor: { missingCount: 193, refused: [] } }), /missingCount/],
    ["an outcome of its own", frameOf({ outcome: "fine" }), /outcome: "fine" is not known/],
    [
      "hashes of other lengths",
      frameOf({ tensor: { missingCount: 0, refused: [], hashes: {} } }),
      /tensor: not 32 bytes/,
    ],
    [
      "references that are no floats",
      frameOf({ state: { references: [{ frame: 0, values: new Uint8Array(3) }] } }),
      /float32/,
    ],
    [
      "a last tensor of another size",
      frameOf({ state: { references: [], last: { frame: 0, bytes: new Uint8Array(8) } } }),
      /state.last: 8 bytes, the tensor has 768/,
    ],
  ];
  for (const [what, bytes, message] of cases) {
    const before = process.memoryUsage().arrayBuffers;
    t.match(await tryRead(bytes), { message }, what);
    t.ok(process.memoryUsage().arrayBuffers - before < 64 << 20, `${what}: memory`);
  }
  t.equal(await tryRead(frameOf({})), 1, "without a lie");
});
