/**
 * Where datagrams are written before their length is known: one buffer for all of a session, of the size that a datagram
 * may have now. Between processes of one machine that is 16 kB, and most datagrams are a result or a report of a hundred
 * bytes: a buffer for each would bring the garbage collector as often as tensors do.
 */
export function createDatagramDraft(): (maxDatagramBytes: number) => Uint8Array {
  let draft = new Uint8Array(0);
  return (maxDatagramBytes) => {
    if (draft.length !== maxDatagramBytes) draft = new Uint8Array(maxDatagramBytes);
    return draft;
  };
}
