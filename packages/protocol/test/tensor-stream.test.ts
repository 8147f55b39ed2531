import { sluice } from "@sluice/proto";
import { ErrorCode, type TensorStreamOptions } from "@sluice/protocol";
import { bundleSpec } from "@sluice/tensor";
import t from "tap";
import { openStreamFromWire, openStreamToWire, tensorStreamDefaults } from "#src/tensor-stream.js";

const options: TensorStreamOptions = {
  spec: { dtype: "float32", shape: [128, 28, 28], layout: "chw" },
  ...{ split: "add_3", model: "fashion", codec: "quantize(levels=8)", mode: "datagram", deadlineMs: 150 },
  ...{ concealment: "channel-mean", statisticsHash: Uint8Array.from({ length: 32 }, (_, i) => i) },
  ...tensorStreamDefaults,
};
const maxElements = 1 << 24;

function overTheWire(message: sluice.v1.OpenStream.$Properties): sluice.v1.OpenStream {
  return sluice.v1.OpenStream.decode(sluice.v1.OpenStream.encode(message).finish());
}

function read(changes: sluice.v1.OpenStream.$Properties, limit = maxElements): TensorStreamOptions {
  return openStreamFromWire(overTheWire({ ...openStreamToWire(7, options), ...changes }), limit);
}

t.test("comes back from the wire as it was", async (t) => {
  const samples: Record<string, Partial<TensorStreamOptions>> = {
    "a tensor of three axes": {},
    "a scalar": { spec: { dtype: "int32", shape: [], layout: "any" } },
    "the model's input, nothing else said": { split: "", concealment: "", statisticsHash: new Uint8Array(0) },
    "the longest deadline": { deadlineMs: 0x7fffffff },
    "the shortest deadline": { deadlineMs: 1 },
    "an urgent one that goes on": { urgency: 0, firstFrame: 1_000, minReceivedPercent: 100 },
  };
  for (const dtype of ["float32", "float16", "uint8", "int8", "int32"] as const) {
    samples[dtype] = { spec: { dtype, shape: [5], layout: "any" } };
  }
  samples.bundle = {
    spec: bundleSpec([
      { dtype: "float32", shape: [1, 2, 3], layout: "hwc" },
      { dtype: "uint8", shape: [], layout: "any" },
    ]),
  };
  for (const mode of ["datagram", "stream", "reliable"] as const) samples[mode] = { mode };
  for (const layout of ["chw", "hwc"] as const) samples[layout] = { spec: { ...options.spec, layout } };
  for (const [name, sample] of Object.entries(samples)) {
    const wanted = { ...options, ...sample };
    const message = overTheWire(openStreamToWire(7, wanted));
    t.equal(message.stream, 7);
    const { statisticsHash, ...others } = openStreamFromWire(message, maxElements);
    t.same(
      { ...others, statisticsHash: [...statisticsHash] },
      { ...wanted, statisticsHash: [...wanted.statisticsHash] },
      name,
    );
  }
});

/** A number that a later version may give a meaning. */
function unknown<Known extends number>(value: number): Known {
  return value as Known;
}

const spec = { dtype: 1, shape: [4], layout: 0 };
const refusals: Record<
  string,
  { changes: sluice.v1.OpenStream.$Properties; message: RegExp; code?: number }
> = {
  "error correction that nobody knows": {
    changes: { fec: "raptor" },
    message: /^fec: unknown code "raptor"/,
    code: ErrorCode.unknownFec,
  },
  "an urgency beyond the least": { changes: { urgency: 8 }, message: /^urgency 8/ },
  "more than all": { changes: { minReceivedPercent: 101 }, message: /min_received_percent 101/ },
  "no spec": { changes: { spec: null }, message: /^dtype: 0 is not in the registry/ },
  "an unknown dtype": { changes: { spec: { ...spec, dtype: unknown(6) } }, message: /^dtype: 6/ },
  "an unknown layout": { changes: { spec: { ...spec, layout: unknown(4) } }, message: /^layout: 4/ },
  "a bundle of nothing": { changes: { spec: { ...spec, layout: 3 } }, message: /^parts: 0, a bundle/ },
  "a bundle of other tensors": {
    changes: { spec: { ...spec, layout: 3, parts: [spec, spec] } },
    message: /^parts: their bundle is float32 \[8\], the spec says float32 \[4\]/,
  },
  "a bundle in a bundle": {
    changes: { spec: { ...spec, shape: [8], layout: 3, parts: [spec, { ...spec, layout: 3 }] } },
    message: /^layout: 3/,
  },
  "a layout that does not fit": { changes: { spec: { ...spec, layout: 1 } }, message: /layout/ },
  "no mode": { changes: { mode: 0 }, message: /^mode: 0/ },
  "an unknown mode": { changes: { mode: unknown(4) }, message: /^mode: 4/ },
  "no deadline": { changes: { deadlineMs: 0 }, message: /^deadline_ms: 0/ },
  "a deadline over 2^31 - 1": { changes: { deadlineMs: 0x80000000 }, message: /^deadline_ms: 2147483648/ },
  "an axis of length 0": { changes: { spec: { ...spec, shape: [4, 0] } }, message: /shape/ },
  "too many axes": {
    changes: { spec: { ...spec, shape: new Array<number>(9).fill(1) } },
    message: /^shape: 9 axes/,
  },
  "thousands of axes": {
    ...{
      changes: { spec: { ...spec, shape: new Array<number>(10_000).fill(2) } },
      message: /^shape: 10000 axes/,
    },
  },
  "too many elements": {
    ...{
      changes: { spec: { ...spec, shape: [4_097, 4_096] } },
      code: ErrorCode.tensorTooLarge,
      message: /^shape: .*at most/,
    },
  },
  "elements beyond all numbers": {
    changes: { spec: { ...spec, shape: new Array<number>(8).fill(0xffffffff) } },
    ...{ code: ErrorCode.tensorTooLarge, message: /^shape/ },
  },
  "a long model": { changes: { model: "m".repeat(1_025) }, message: /^model: longer/ },
  "a long split": { changes: { split: "m".repeat(1_025) }, message: /^split: longer/ },
  "a long codec": { changes: { codec: "m".repeat(1_025) }, message: /^codec: longer/ },
  "a long concealment": { changes: { concealment: "m".repeat(1_025) }, message: /^concealment: longer/ },
};

t.test("what cannot be is refused and named", async (t) => {
  for (const [name, { changes, message, code = ErrorCode.specMismatch }] of Object.entries(refusals)) {
    t.throws(() => read(changes), { name: "ProtocolError", code, message }, name);
  }
});

t.test("without a limit of its own the server still refuses what no tensor may have", async (t) => {
  const huge = { spec: { ...spec, shape: [4_097, 4_096] } };
  t.throws(() => read(huge, 0), { code: ErrorCode.specMismatch, message: /elements/ });
  t.throws(() => read({ spec: { ...spec, shape: [101] } }, 100), { code: ErrorCode.tensorTooLarge });
  t.equal(read({ spec: { ...spec, shape: [100] } }, 100).spec.shape[0], 100);
});
