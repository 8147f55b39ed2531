/** What a client has sent between two states of its figures, for each of so many images. */
export function sentSince(before, after, images) {
  const since = (name) => (after[name] - before[name]) / images;
  return {
    bytes: since("bytesSent"),
    datagrams: since("datagramsSent"),
    lostDatagrams: since("datagramsLost") / since("datagramsSent") || 0,
    repairs: since("repairsSent"),
    repeatedSlices: since("slicesRepeated"),
  };
}
