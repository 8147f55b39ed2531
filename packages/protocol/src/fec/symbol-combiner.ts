/** Linear combinations of byte strings over GF(2^8). Both kinds give the same bytes. */
export interface SymbolCombiner {
  /** `simd` runs in WebAssembly, `plain` in JavaScript. */
  readonly kind: "simd" | "plain";
  /**
   * Adds to each output the sum of factors[output * inputs.length + i] times input i.
   * @param inputs at most 128; those shorter than the outputs count as padded with 0
   * @param outputs at most 128, of one length, none of them an input
   */
  combine(factors: Uint8Array, inputs: readonly Uint8Array[], outputs: readonly Uint8Array[]): void;
}
