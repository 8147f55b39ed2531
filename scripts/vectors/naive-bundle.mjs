// Several tensors in a frame (spec 6.14), as the text says, by what the other naive files make of each tensor alone.
import { encodeChain, receiveChain } from "./naive-chain.mjs";
import { count, dtypeBytes, encodeSlice, receive, sliceRange } from "./naive-codec.mjs";

const bytesOf = ({ dtype, shape }) => count(shape) * dtypeBytes[dtype];

/** The spec of the bundle of tensors of these specs. */
export function bundleOf(...parts) {
  const dtypes = new Set(parts.map(({ dtype }) => dtype));
  const isWide = parts.every(({ dtype }) => dtypeBytes[dtype] === 4);
  const dtype = dtypes.size === 1 ? parts[0].dtype : isWide ? "int32" : "uint8";
  const bytes = parts.reduce((sum, part) => sum + bytesOf(part), 0);
  return { dtype, shape: [bytes / dtypeBytes[dtype]], layout: "any", parts };
}

/** What of a bundle each tensor is: its codec, and where its units and bytes begin. Each element is a unit here. */
function partsOf({ spec, codec }) {
  let [unit, byte] = [0, 0];
  return spec.parts.map((part) => {
    const own = { spec: part, codec: part.dtype.startsWith("float") ? codec : "raw", unit, byte };
    unit += count(part.shape);
    byte += bytesOf(part);
    return own;
  });
}

/** Which units of each tensor a slice covers. */
function rangesOf(parts, index, of) {
  const units = parts.reduce((sum, { spec }) => sum + count(spec.shape), 0);
  const [first, end] = sliceRange(index, of, units);
  return parts.flatMap(({ spec, unit }, part) => {
    const from = Math.max(first - unit, 0);
    const to = Math.min(end - unit, count(spec.shape));
    return from < to ? [{ part, range: [from, to] }] : [];
  });
}

const dataOf = (data, { spec, byte }) => data.slice(2 * byte, 2 * (byte + bytesOf(spec)));
const coded = (codec) => codec.includes(" | ");
const lengthHex = (hex) => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(hex.length / 2);
  return bytes.toString("hex");
};

/** The payload of a slice, in hex. */
export function encodeBundle(input) {
  const parts = partsOf(input);
  const ranges = rangesOf(parts, input.index, input.count);
  return ranges
    .map(({ part, range }, i) => {
      const { spec, codec } = parts[part];
      const data = dataOf(input.data, parts[part]);
      const payload = (coded(codec) ? encodeChain : encodeSlice)({ spec, codec, data, range });
      return i < ranges.length - 1 ? lengthHex(payload) + payload : payload;
    })
    .join("");
}

/** What a slice holds of each tensor; `undefined` where a length runs past it. */
function splitPayload(payload, pieces) {
  const bytes = Buffer.from(payload, "hex");
  const found = [];
  let at = 0;
  for (let i = 0; i < pieces - 1; i++) {
    if (at + 4 > bytes.length) return undefined;
    const end = at + 4 + bytes.readUInt32LE(at);
    if (end > bytes.length) return undefined;
    found.push(bytes.subarray(at + 4, end).toString("hex"));
    at = end;
  }
  return [...found, bytes.subarray(at).toString("hex")];
}

/** What a receiver makes of slices: as `receive` of naive-codec.mjs, `missing` in elements of the bundle. */
export function receiveBundle(input) {
  const parts = partsOf(input);
  const refused = new Set();
  const slices = parts.map(() => []);
  for (const [at, { index, count: of, payload }] of input.slices.entries()) {
    const ranges = rangesOf(parts, index, of);
    const pieces = splitPayload(payload, ranges.length);
    if (pieces === undefined) refused.add(at);
    else
      for (const [i, { part, range }] of ranges.entries())
        slices[part].push({ range, payload: pieces[i], at });
  }
  const missing = [];
  let data = "";
  for (const [i, { spec, codec, byte }] of parts.entries()) {
    const concealment = spec.dtype.startsWith("float") ? input.concealment : "zero";
    const got = (coded(codec) ? receiveChain : receive)({ spec, codec, concealment, slices: slices[i] });
    for (const place of got.refused) refused.add(slices[i][place].at);
    data += got.data;
    const width = dtypeBytes[spec.dtype] / dtypeBytes[input.spec.dtype];
    const start = byte / dtypeBytes[input.spec.dtype];
    for (const [first, end] of got.missing) {
      const run = [start + first * width, start + end * width];
      if (missing.at(-1)?.[1] === run[0]) missing.at(-1)[1] = run[1];
      else missing.push(run);
    }
  }
  return { refused: [...refused].sort((a, b) => a - b), missing, data };
}
