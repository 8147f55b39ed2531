// Coefficients of known distributions, by rANS with bytes as its digits: see src/sluice/entropy-kernel.ts.

/** Of src/sluice/entropy-format.ts, which says what they are. */
const frequencyBits: i32 = 15;
const frequencySymbols: i32 = 18;
const escapeSymbol: i32 = frequencySymbols - 1;
const rowCount: i32 = 49;
const maxPlainBits: i32 = 12;
const maxMagnitude: u32 = 32767;
const lowestState: u32 = 1 << 23;
const slotMask: u32 = (1 << frequencyBits) - 1;

/** Tables at the start of the memory: intervals, u32, and their lengths in bits, f32, of each row and symbol. */
const intervalsAt: usize = 0;
const bitsAt: usize = 4096;

/** Where the intervals end that are being listed, and how many bits they take. */
let end: usize = 0;
let bits: f64 = 0;

function plainBitsOfRow(row: i32): i32 {
  return row < rowCount ? 0 : min(maxPlainBits, (row - rowCount + 8) >> 3);
}

/** Where the symbols of a row begin that leaves `width` bits to be written plainly. */
function firstEntry(row: i32, width: i32): i32 {
  return min(row - 8 * width, rowCount - 1) * frequencySymbols;
}

function addEntry(entry: i32): void {
  const at = (<usize>entry) << 2;
  store<u32>(end, load<u32>(intervalsAt + at));
  end += 4;
  bits += f64(load<f32>(bitsAt + at));
}

/** `value` is below 2^width. */
function addPlain(value: u32, width: i32): void {
  if (width === 0) return;
  const frequency: u32 = (<u32>1) << (frequencyBits - width);
  store<u32>(end, ((value * frequency) << 16) | frequency);
  end += 4;
  bits += f64(width);
}

function addLarge(magnitude: i32, row: i32): void {
  const width = plainBitsOfRow(row);
  const high = magnitude >> width;
  addEntry(firstEntry(row, width) + min(high, escapeSymbol));
  if (high >= escapeSymbol) {
    const rest = high - escapeSymbol + 1;
    const restBits = 31 - clz(rest);
    addPlain(restBits, 4);
    addPlain(rest - (1 << restBits), restBits);
  }
  addPlain(magnitude & ((1 << width) - 1), width);
}

/**
 * Lists the intervals of coefficients.
 * @param spans u32, for each what its first coefficient's row is the index of in `rows`, and its coefficients
 * @param target room for five u32 for each coefficient
 * @param starts u32, for each span: `startBefore` and the intervals before it
 * @param spanBits f64, for each span: `bitsBefore` and the bits before it
 * @returns the bits behind the last one
 */
export function list(
  coefficients: usize,
  spans: usize,
  spanCount: i32,
  rows: usize,
  target: usize,
  starts: usize,
  startBefore: u32,
  spanBits: usize,
  bitsBefore: f64,
): f64 {
  end = target;
  bits = bitsBefore;
  for (let span = 0; span < spanCount; span++) {
    store<u32>(starts + ((<usize>span) << 2), startBefore + <u32>((end - target) >> 2));
    store<f64>(spanBits + ((<usize>span) << 3), bits);
    let row = rows + ((<usize>load<u32>(spans)) << 2);
    const last = coefficients + ((<usize>load<u32>(spans, 4)) << 2);
    spans += 8;
    for (; coefficients < last; coefficients += 4, row += 4) {
      const coefficient = load<i32>(coefficients);
      const magnitude = <i32>min<u32>(<u32>abs(coefficient), maxMagnitude);
      const index = load<i32>(row);
      if (index < rowCount && magnitude < escapeSymbol) addEntry(index * frequencySymbols + magnitude);
      else addLarge(magnitude, index);
      if (magnitude !== 0) addPlain(coefficient < 0 ? 1 : 0, 1);
    }
  }
  return bits;
}

/** Where the intervals end that {@link list} wrote. */
export function listEnd(): usize {
  return end;
}

/** Writes `count` intervals, the last one first, so that the bytes end before `target`. @returns where they begin */
export function encode(intervals: usize, count: i32, target: usize): usize {
  let state = lowestState;
  for (let at = intervals + ((<usize>count) << 2); at > intervals; ) {
    at -= 4;
    const interval = load<u32>(at);
    const frequency = interval & 0xffff;
    const limit = frequency << 16;
    while (state >= limit) {
      store<u8>(--target, state);
      state >>= 8;
    }
    const quotient = state / frequency;
    state = (quotient << frequencyBits) + (state - quotient * frequency) + (interval >> 16);
  }
  for (let i = 0; i < 4; i++) store<u8>(--target, state >> (8 * i));
  return target;
}

/** The state and what is left of the payload that is being read. */
let state: u32 = 0;
let place: usize = 0;
let placeEnd: usize = 0;

/** Takes digits until the state is whole. Behind the end they are 1: whatever is read then is thrown away. */
function refill(next: u32): void {
  while (next < lowestState) {
    next = (next << 8) | (place < placeEnd ? <u32>load<u8>(place) : 1);
    place++;
  }
  state = next;
}

function readPlain(width: i32): i32 {
  if (width === 0) return 0;
  const shift = frequencyBits - width;
  const slot = state & slotMask;
  refill(((state >> frequencyBits) << shift) + (slot & ((1 << shift) - 1)));
  return slot >> shift;
}

function readSymbol(row: i32): i32 {
  const entry = intervalsAt + ((<usize>(row * frequencySymbols)) << 2);
  let rest = state & slotMask;
  let symbol = 0;
  let frequency = load<u32>(entry) & 0xffff;
  while (rest >= frequency) {
    rest -= frequency;
    symbol++;
    frequency = load<u32>(entry + ((<usize>symbol) << 2)) & 0xffff;
  }
  refill(frequency * (state >> frequencyBits) + rest);
  return symbol;
}

function readLarge(high: i32, width: i32): i32 {
  if (high === escapeSymbol) {
    const restBits = readPlain(4);
    high = escapeSymbol - 1 + (1 << restBits) + readPlain(restBits);
  }
  return (high << width) + readPlain(width);
}

/**
 * Reads the coefficients of a payload that is not trusted.
 * @returns whether it had them all and ended as every encoder begins
 */
export function decode(
  payload: usize,
  payloadEnd: usize,
  spans: usize,
  spanCount: i32,
  rows: usize,
  coefficients: usize,
): bool {
  if (payloadEnd - payload < 4) return false;
  state = bswap(load<u32>(payload));
  if (state < lowestState || state >= 256 * lowestState) return false;
  place = payload + 4;
  placeEnd = payloadEnd;
  for (let span = 0; span < spanCount; span++) {
    let row = rows + ((<usize>load<u32>(spans)) << 2);
    const last = coefficients + ((<usize>load<u32>(spans, 4)) << 2);
    spans += 8;
    for (; coefficients < last; coefficients += 4, row += 4) {
      const index = load<i32>(row);
      let magnitude: i32;
      if (index < rowCount) {
        magnitude = readSymbol(index);
        if (magnitude === escapeSymbol) magnitude = readLarge(escapeSymbol, 0);
      } else {
        const width = plainBitsOfRow(index);
        magnitude = readLarge(readSymbol(firstEntry(index, width) / frequencySymbols), width);
      }
      if (magnitude !== 0 && readPlain(1) === 1) magnitude = -magnitude;
      store<i32>(coefficients, magnitude);
    }
    if (place > placeEnd) return false;
  }
  return place === placeEnd && state === lowestState;
}
