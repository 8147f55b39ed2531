// The kernels of packages/codec. Each works on this module's own memory, at byte offsets that src/*/simd-*.ts choose;
// bounds are their business.
export { decodeSymbols, encodeSymbols } from "./context-coder";
export { decode, encode, list, listEnd } from "./entropy";
export { combineRows, multiply, multiplySparse } from "./transform";
