import {
  type Codec,
  formatInterleaving,
  interleaveField,
  type PartialTensor,
  parseCodec,
  parseInterleaving,
  prepareCodec,
} from "@sluice/codec";
import {
  type Concealer,
  createConcealer,
  needsStatistics,
  parseConcealmentMethod,
} from "@sluice/concealment";
import { ErrorCode, ProtocolError } from "@sluice/protocol";
import {
  type CutStatistics,
  createTensor,
  decodeStatistics,
  type EncodedStatistics,
  elementCount,
  encodeStatistics,
  sliceRange,
  type Tensor,
  TensorError,
  type TensorSpec,
  tensorBytes,
} from "@sluice/tensor";
import { fromHex, toHex } from "../vectors/plain-form.js";

interface CodecInput {
  readonly spec: TensorSpec;
  readonly codec: string;
  readonly statistics?: EncodedStatistics;
  readonly interleave?: string;
}

interface ReceivedSlice {
  readonly index: number;
  readonly count: number;
  readonly payload: string;
}

interface ReceiveInput extends CodecInput {
  readonly concealment: string;
  readonly slices: readonly ReceivedSlice[];
  /** Of the frame; where it may be predicted from those before. */
  readonly frame?: number;
  readonly before?: readonly { readonly frame: number; readonly slices: readonly ReceivedSlice[] }[];
}

interface EncodeInput extends CodecInput {
  readonly data: string;
  readonly index: number;
  readonly count: number;
}

/** Runs a step; what does not fit has the code that a server rejects the stream with. */
function orCode<T>(code: ErrorCode, step: () => T): T {
  try {
    return step();
  } catch (error) {
    if (!(error instanceof TensorError)) throw error;
    const isOrder = error.field.startsWith(interleaveField);
    throw new ProtocolError(isOrder ? ErrorCode.unknownInterleaving : code, error.message);
  }
}

const readCodec = (text: string): Codec => orCode(ErrorCode.unknownCodec, () => parseCodec(text));

function readTensor(spec: TensorSpec, data: string): Tensor {
  const tensor = createTensor(spec.dtype, spec.shape, undefined, spec.layout);
  tensorBytes(tensor).set(fromHex(data));
  return tensor;
}

/** Runs of elements that did not come, as [first, end). */
function missingRuns(missing: Uint8Array): [number, number][] {
  const runs: [number, number][] = [];
  for (const [i, flag] of missing.entries()) {
    if (flag === 0) continue;
    const last = runs.at(-1);
    if (last?.[1] === i) last[1]++;
    else runs.push([i, i + 1]);
  }
  return runs;
}

function readConcealer(text: string, spec: TensorSpec, statistics: CutStatistics | undefined): Concealer {
  const method = orCode(ErrorCode.specMismatch, () => parseConcealmentMethod(text));
  if (needsStatistics(method) && !statistics)
    throw new ProtocolError(ErrorCode.statisticsMismatch, `${method} needs statistics`);
  return orCode(ErrorCode.statisticsMismatch, () =>
    createConcealer(spec, method, statistics ? { statistics } : {}),
  );
}

async function receive({ spec, codec, statistics, interleave, concealment, ...frames }: ReceiveInput) {
  const { slices, frame, before = [] } = frames;
  const known = statistics && decodeStatistics(statistics);
  const concealer = readConcealer(concealment, spec, known);
  const prepared = await prepareCodec(readCodec(codec));
  const decoder = orCode(ErrorCode.unknownCodec, () => prepared.createDecoder(spec, known, interleave));
  const add = (partial: PartialTensor, own: readonly ReceivedSlice[]): number[] => {
    const refused: number[] = [];
    for (const [at, { index, count, payload }] of own.entries()) {
      // spec 5.2
      orCode(ErrorCode.sliceOutOfRange, () => sliceRange(index, count, decoder.units));
      if (partial.add(index, count, fromHex(payload)) !== undefined) refused.push(at);
    }
    return refused;
  };
  for (const earlier of before) add(decoder.begin(earlier.frame), earlier.slices);
  const partial = decoder.begin(frame);
  const refused = add(partial, slices);
  const { tensor, missing, missingCount } = partial.finish();
  if (missingCount === elementCount(spec.shape))
    throw new ProtocolError(ErrorCode.nothingDecodable, "no slice was decoded");
  concealer.conceal(tensor, missing);
  return { refused, missing: missingRuns(missing), data: toHex(tensorBytes(tensor)) };
}

async function encode({ spec, codec, statistics, interleave, data, index, count }: EncodeInput) {
  const prepared = await prepareCodec(readCodec(codec));
  const encoder = prepared.createEncoder(spec, statistics && decodeStatistics(statistics), interleave);
  const tensor = readTensor(spec, data);
  // Measures the whole tensor, as it does for every frame, before a part of it is encoded.
  const encoded = encoder.encode(tensor, Number.MAX_SAFE_INTEGER);
  const slices = encoded.split({ index, count }, Number.MAX_SAFE_INTEGER);
  return { payload: toHex(slices[0]!.payload) };
}

/** Operations on codecs, tensors and statistics. */
export const tensorOperations = {
  "codec.parse": ({ codec }: { codec: string }) => ({ codec: readCodec(codec).text }),
  "codec.encode": encode,
  "interleave.parse": ({ interleave }: { interleave: string }) => ({
    interleave: orCode(ErrorCode.unknownInterleaving, () =>
      formatInterleaving(parseInterleaving(interleave)),
    ),
  }),
  "tensor.receive": receive,
  "statistics.hash": async ({ statistics }: { statistics: EncodedStatistics }) => {
    const canonical = JSON.stringify(encodeStatistics(decodeStatistics(statistics)));
    const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(canonical));
    return { hash: toHex(new Uint8Array(hash)) };
  },
};
