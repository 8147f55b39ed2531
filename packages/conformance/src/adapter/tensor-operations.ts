import { type Codec, parseCodec, prepareCodec } from "@sluice/codec";
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
}

interface ReceiveInput extends CodecInput {
  readonly concealment: string;
  readonly slices: readonly { readonly index: number; readonly count: number; readonly payload: string }[];
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
    throw new ProtocolError(code, error.message);
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

async function receive({ spec, codec, statistics, concealment, slices }: ReceiveInput) {
  const known = statistics && decodeStatistics(statistics);
  const concealer = readConcealer(concealment, spec, known);
  const prepared = await prepareCodec(readCodec(codec));
  const decoder = orCode(ErrorCode.unknownCodec, () => prepared.createDecoder(spec, known));
  const partial = decoder.begin();
  const refused: number[] = [];
  for (const [at, { index, count, payload }] of slices.entries()) {
    // spec 5.2
    orCode(ErrorCode.sliceOutOfRange, () => sliceRange(index, count, decoder.units));
    if (partial.add(index, count, fromHex(payload)) !== undefined) refused.push(at);
  }
  const { tensor, missing, missingCount } = partial.finish();
  if (missingCount === elementCount(spec.shape))
    throw new ProtocolError(ErrorCode.nothingDecodable, "no slice was decoded");
  concealer.conceal(tensor, missing);
  return { refused, missing: missingRuns(missing), data: toHex(tensorBytes(tensor)) };
}

async function encode({ spec, codec, statistics, data, index, count }: EncodeInput) {
  const prepared = await prepareCodec(readCodec(codec));
  const encoder = prepared.createEncoder(spec, statistics && decodeStatistics(statistics));
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
  "tensor.receive": receive,
  "statistics.hash": async ({ statistics }: { statistics: EncodedStatistics }) => {
    const canonical = JSON.stringify(encodeStatistics(decodeStatistics(statistics)));
    const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(canonical));
    return { hash: toHex(new Uint8Array(hash)) };
  },
};
