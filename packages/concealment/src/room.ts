/**
 * Room for a number for each element of a tensor, which all concealers of a thread share: nothing in it outlives the call
 * that filled it. Fresh arrays for every tensor took longer to clear and collect than the work on them.
 */
type Room<T> = (length: number) => T;

/** Room for larger tensors is not kept. */
const maxKept = 1 << 20;

function createRoom<T extends Float32Array | Int32Array>(make: (length: number) => T): Room<T> {
  let kept = make(0);
  return (length) => {
    if (length > maxKept) return make(length);
    if (kept.length < length) kept = make(length);
    return kept.length === length ? kept : (kept.subarray(0, length) as T);
  };
}

const floats = () => createRoom((length) => new Float32Array(length));

export const roomForValues = floats();
export const roomForReference = floats();
export const roomForMeans = floats();
export const roomForBaseline = floats();
export const roomForGaps = createRoom((length) => new Int32Array(length));
