/** A systematic erasure code over the symbols of a group (spec 5.8). */
export interface ErasureCode {
  /**
   * Parity symbols of `symbolBytes` bytes each.
   * @param sources at most `maxFecSources`; shorter ones count as padded with 0
   * @param rows which symbols, each 0 to `maxFecSources` - 1
   */
  encode(sources: readonly Uint8Array[], rows: readonly number[], symbolBytes: number): Uint8Array[];
  /**
   * The missing sources in their order, each of `symbolBytes` bytes.
   * @param sources of the group in their order, `undefined` where one is missing
   * @param parity of distinct rows, at least as many as are missing
   */
  recover(
    sources: readonly (Uint8Array | undefined)[],
    parity: readonly { readonly row: number; readonly symbol: Uint8Array }[],
    symbolBytes: number,
  ): Uint8Array[];
}
