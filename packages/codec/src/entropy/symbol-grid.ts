import type { Symbols } from "@sluice/tensor";
import type { TooLong } from "../stage.js";

/** How symbols stand: channel by channel, rows of columns. */
export interface SymbolGrid {
  /** Symbols are below it, 2 to 256. */
  readonly levels: number;
  readonly rows: number;
  readonly columns: number;
}

/** Codes the symbols of a slice by what is around them (spec 6.10). Both kinds give the same bytes. */
export interface SymbolCoder {
  /** `simd` runs in WebAssembly, `plain` in JavaScript. */
  readonly kind: "simd" | "plain";
  /**
   * @param first where the first symbol stands, counted over all channels
   * @param room bytes that should be enough; a payload of one more may come out
   * @returns a view that lasts until the next call
   */
  encode(symbols: Symbols, first: number, room: number): Uint8Array | TooLong;
  /**
   * @param payload not trusted
   * @param symbols filled if the payload is sound, else left in any state
   * @returns whether it is one that `encode` writes
   */
  decode(payload: Uint8Array, symbols: Symbols, first: number): boolean;
}
