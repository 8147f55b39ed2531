import { parseCodec } from "@sluice/codec";
import {
  ErrorCode,
  type ReceivedFrame,
  type TensorStreamOptions,
  tensorStreamDefaults,
} from "@sluice/protocol";
import { createTensor } from "@sluice/tensor";
import t from "tap";
import { serveEach } from "#src/served-model.js";
import { createSpareTensors } from "#src/spare-tensors.js";
import { createTensorReceiver } from "#src/tensor-receiver.js";

const spec = { dtype: "float32", shape: [2, 4, 4], layout: "chw" } as const;

const served = serveEach(async () => undefined);
const wanted = (concealment: string): TensorStreamOptions => ({
  ...tensorStreamDefaults,
  ...{ spec, split: "", model: "m", codec: "raw", mode: "datagram", deadlineMs: 100, concealment },
  statisticsHash: new Uint8Array(0),
});

/** Values of a scene, of which each frame may lack some of four slices. */
function frameOf(frame: number, values: Float32Array, lost: readonly number[] = []): ReceivedFrame {
  const encoder = parseCodec("raw").createEncoder(spec);
  const { slices } = encoder.encode(createTensor("float32", spec.shape, values, "chw"), 32);
  return {
    ...{
      stream: 1,
      frame,
      slicesRecovered: 0,
      unitsReceived: 0,
      units: 32,
      firstArrivalMs: 0,
      lastArrivalMs: 0,
    },
    ...{ capturedMs: 0, expiresAtMs: 100 },
    slices: slices
      .filter((_, i) => !lost.includes(i))
      .map((slice) => ({ ...slice, arrivalMs: 0, isRecovered: false })),
  };
}

const now = () => 0;
const still = Float32Array.from({ length: 32 }, (_, i) => (i * 7) % 13);

t.test("auto unless something else is asked for", async (t) => {
  t.equal((await createTensorReceiver(wanted(""), served)).concealment, "auto");
  t.equal((await createTensorReceiver(wanted("zero"), served)).concealment, "zero");
  for (const [concealment, code] of [
    ["guess", ErrorCode.specMismatch],
    ["hybrid", ErrorCode.statisticsMismatch],
    ["inter-channel", ErrorCode.statisticsMismatch],
  ] as const) {
    await t.rejects(createTensorReceiver(wanted(concealment), served), { name: "StreamRefusal", code });
  }
});

t.test("slices hold what the stream asked for, and what the codec cannot hold is refused", async (t) => {
  const interleave = "checkerboard";
  const tensor = createTensor("float32", spec.shape, still, "chw");
  const encoder = parseCodec("raw").createEncoder(spec, undefined, interleave);
  const [slice] = encoder.encode(tensor, 64).slices;
  const receiver = await createTensorReceiver({ ...wanted("zero"), interleave }, served);
  const got = receiver.receive(
    { ...frameOf(1, still), slices: [{ ...slice!, arrivalMs: 0, isRecovered: false }] },
    now,
  )!;
  const isBlack = (i: number) => (Math.floor(i / 4) + i) % 2 === 0;
  t.strictSame(
    [...got.context.missing].slice(0, 16),
    Array.from({ length: 16 }, (_, i) => (isBlack(i) ? 0 : 1)),
  );
  t.ok([...got.tensor.data].every((value, i) => got.context.missing[i] === 1 || value === still[i]));
  for (const [codec, text] of [
    ["raw", "x"],
    ["quantize:levels=256 | tile | jpeg", "checkerboard"],
  ] as const)
    await t.rejects(createTensorReceiver({ ...wanted("zero"), codec, interleave: text }, served), {
      ...{ name: "StreamRefusal", code: ErrorCode.unknownInterleaving, message: /^interleave/ },
    });
});

t.test("auto and temporal conceal with the stream's last good tensor, the others do not", async (t) => {
  for (const method of ["auto", "temporal", "channel-mean"]) {
    const receiver = await createTensorReceiver(wanted(method), served);
    t.equal(receiver.receive(frameOf(1, still), now)?.context.missingCount, 0);
    const { tensor, context } = receiver.receive(frameOf(2, still, [1]), now)!;
    t.equal(context.missingCount, 8);
    t.equal(
      context.missing.reduce((sum, flag) => sum + flag, 0),
      8,
      "the application learns which",
    );
    const isAsBefore = [...tensor.data].every((value, i) => Math.abs(value - still[i]!) < 1e-3);
    t.equal(isAsBefore, method !== "channel-mean", method);
  }
});

t.test("what is served may be written over without harm to the next frame", async (t) => {
  const receiver = await createTensorReceiver(wanted("temporal"), served);
  receiver.receive(frameOf(1, still), now)?.tensor.data.fill(99);
  t.strictSame(receiver.receive(frameOf(2, still, [0, 3]), now)?.tensor.data, still);
});

t.test("a frame of which half came is no reference, and an older one that comes late neither", async (t) => {
  const receiver = await createTensorReceiver(wanted("temporal"), served);
  const other = still.map((value) => value + 100);
  receiver.receive(frameOf(2, still), now);
  receiver.receive(frameOf(3, other, [0, 1]), now);
  receiver.receive(frameOf(1, other), now);
  t.strictSame(receiver.receive(frameOf(4, still, [2]), now)?.tensor.data, still);
});

t.test("nothing came: undecodable, never guessed, though there is an earlier tensor", async (t) => {
  const receiver = await createTensorReceiver(wanted("auto"), served);
  receiver.receive(frameOf(1, still), now);
  t.equal(receiver.receive(frameOf(2, still, [0, 1, 2, 3]), now), undefined);
  const broken = frameOf(3, still, [1, 2, 3]);
  const slices = broken.slices.map((slice) => ({ ...slice, payload: slice.payload.subarray(1) }));
  t.equal(receiver.receive({ ...broken, slices }, now), undefined, "and where all that came is refused");
});

t.test(
  "the memory of a frame that has ended serves the next one, where the network lets go of it",
  async (t) => {
    for (const letsGo of [true, false]) {
      const network = { ...served.network, letsGo };
      const receiver = await createTensorReceiver(
        wanted("zero"),
        { ...served, network },
        createSpareTensors(),
      );
      const first = receiver.receive(frameOf(1, still), now)!;
      const second = receiver.receive(frameOf(2, still), now)!;
      t.not(second.tensor.data, first.tensor.data, "the first one has not ended");
      first.tensor.data.fill(99);
      receiver.release(first);
      const third = receiver.receive(frameOf(3, still, [1]), now)!;
      t.equal(third.tensor.data === first.tensor.data, letsGo);
      t.ok([...third.tensor.data].every((value, i) => value === (third.context.missing[i] ? 0 : still[i])));
      t.strictSame(second.tensor.data, still);
      const lost = receiver.receive(frameOf(4, still, [0, 1, 2, 3]), now);
      t.equal(lost, undefined);
    }
  },
);

t.test("a reliable stream keeps no copy of its last tensor: nothing of it gets lost", async (t) => {
  for (const mode of ["datagram", "stream", "reliable"] as const) {
    const receiver = await createTensorReceiver({ ...wanted("temporal"), mode }, served);
    receiver.receive(frameOf(1, still), now);
    t.equal(receiver.state().last?.frame, mode === "reliable" ? undefined : 1, mode);
  }
});
