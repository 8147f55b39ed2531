/**
 * A frame of a session as one number, for maps that are asked several times for each frame: aliases have 14 bits and frame
 * numbers 32, so it is exact. Numbers beyond these, which only a peer can name, are no key of any frame.
 */
export function frameKey(stream: number, frame: number): number {
  return stream * 0x1_0000_0000 + frame;
}
