// Symbols by what is around them, as binary decisions whose probabilities adapt: spec 6.10, and the plain twin in
// src/entropy. The memory is laid out by src/entropy/simd-symbols.ts.

/** Probability of a 1 in 1/65,536 and decisions so far, both u32, for each context; then the weights of decisions. */
const contextsAt: usize = 0;
const weightsAt: usize = 2048;

const slowest: u32 = 60;
const leastProbability: u32 = 64;
const mostProbability: u32 = 65536 - leastProbability;
const byteBelow: u32 = 1 << 24;

/** Up to so many levels, the bits of a symbol are coded by themselves. */
const maxDirectLevels: i32 = 8;
const lengthContexts: i32 = 16;
const firstBits: i32 = 4 * lengthContexts;
/** Nodes of the tree of the first two bits behind a number's first one. */
const adaptiveNodes: i32 = 4;
const contextCount: i32 = 128;

/** Of the slice that is being coded. */
let levels: i32 = 0;
let symbolBits: i32 = 0;
let columns: i32 = 0;

/** Of the symbol that is being coded. */
let mean: i32 = 0;
let activity: i32 = 0;

function start(ofLevels: i32, ofColumns: i32): void {
  levels = ofLevels;
  columns = ofColumns;
  symbolBits = bitLength(levels - 1);
  for (let i = 0; i < contextCount; i++) {
    store<u32>(contextsAt + ((<usize>i) << 3), 32768);
    store<u32>(contextsAt + ((<usize>i) << 3), 0, 4);
  }
}

function bitLength(value: i32): i32 {
  return 32 - clz(value);
}

function adapt(at: usize, probability: u32, bit: i32): void {
  const count = load<u32>(at, 4);
  const weight = load<u32>(weightsAt + ((<usize>count) << 2));
  if (count < slowest) store<u32>(at, count + 1, 4);
  const more = min(mostProbability, probability + (((65536 - probability) * weight) >> 15));
  const less = max(leastProbability, probability - ((probability * weight) >> 15));
  store<u32>(at, bit ? more : less);
}

/** @param at the symbol's place; `before` are the symbols of the slice in front of it */
function lookAround(at: usize, before: i32, row: i32, column: i32): void {
  const hasLeft = column > 0 && before >= 1;
  const isBelow = row > 0;
  const hasUp = isBelow && before >= columns;
  if (!hasLeft && !hasUp) {
    mean = levels >> 1;
    activity = 0;
    return;
  }
  const above = at - columns;
  const left = <i32>load<u8>(hasLeft ? at - 1 : above);
  const up = hasUp ? <i32>load<u8>(above) : left;
  const corner = isBelow && column > 0 && before > columns ? <i32>load<u8>(above - 1) : (left + up) >> 1;
  const next = isBelow && column < columns - 1 && before >= columns - 1 ? <i32>load<u8>(above + 1) : up;
  mean = (2 * left + 2 * up + corner + next + 3) / 6;
  activity = abs(left - corner) + abs(up - corner) + abs(up - next);
}

/** The context of the first decision about a number's length. */
function lengthContext(): i32 {
  // Bits of floor(16 activity / levels), at most 3, without the division.
  const scaled = 16 * activity;
  return lengthContexts * (i32(scaled >= levels) + i32(scaled >= 2 * levels) + i32(scaled >= 4 * levels));
}

/** The interval that is being narrowed; of the decoder, `low` is what was read less its low end. */
let low: u32 = 0;
let range: u32 = 0;
/** Where bytes go to or come from. */
let place: usize = 0;
let lastPlace: usize = 0;

function raiseLow(by: u32): void {
  low += by;
  if (low >= by) return;
  let at = place - 1;
  for (; load<u8>(at) === 255; at--) store<u8>(at, 0);
  store<u8>(at, load<u8>(at) + 1);
}

function writeInterval(isOne: bool, bound: u32): void {
  if (isOne) range = bound;
  else {
    raiseLow(bound);
    range -= bound;
  }
  while (range < byteBelow) {
    store<u8>(place++, low >> 24);
    low <<= 8;
    range <<= 8;
  }
}

function write(context: i32, bit: i32): void {
  const at = contextsAt + ((<usize>context) << 3);
  const probability = load<u32>(at);
  writeInterval(bit !== 0, (range >> 16) * probability);
  adapt(at, probability, bit);
}

function writeDirect(symbol: i32): void {
  const base = mean << symbolBits;
  for (let shift = symbolBits - 1, node = 1; shift >= 0; shift--) {
    const bit = (symbol >> shift) & 1;
    write(base + node, bit);
    node = 2 * node + bit;
  }
}

/** Numbers differences in turn, as long as there are both signs, then those of the side that goes on. */
function fold(symbol: i32): i32 {
  const difference = symbol - mean;
  const both = min(mean, levels - 1 - mean);
  if (abs(difference) > both) return both + abs(difference);
  return difference > 0 ? 2 * difference - 1 : -2 * difference;
}

function writeResidual(symbol: i32): void {
  const folded = fold(symbol);
  const length = bitLength(folded);
  const base = lengthContext();
  for (let i = 0; i < length; i++) write(base + i, 1);
  if (length < symbolBits) write(base + length, 0);
  for (let shift = length - 2, node = 1; shift >= 0; shift--) {
    const bit = (folded >> shift) & 1;
    if (node < adaptiveNodes) {
      write(firstBits + length * adaptiveNodes + node, bit);
      node = 2 * node + bit;
    } else writeInterval(bit !== 0, range >> 1);
  }
}

/**
 * Writes `count` symbols, the first of which is in a row and column of its channel.
 * @param target room for `room` bytes and 64 more
 * @returns bytes; or, where they are more than `room`, -1 - the symbols that leave room for one byte more
 */
export function encodeSymbols(
  symbols: usize,
  count: i32,
  row: i32,
  column: i32,
  rows: i32,
  ofColumns: i32,
  ofLevels: i32,
  target: usize,
  room: i32,
): i32 {
  start(ofLevels, ofColumns);
  low = 0;
  range = 0xffffffff;
  place = target;
  let fitting = 0;
  for (let i = 0; i < count; i++) {
    const at = symbols + i;
    lookAround(at, i, row, column);
    if (++column === columns) {
      column = 0;
      if (++row === rows) row = 0;
    }
    const symbol = <i32>load<u8>(at);
    if (levels <= maxDirectLevels) writeDirect(symbol);
    else writeResidual(symbol);
    const length = <i32>(place - target);
    if (length < room) fitting = i + 1;
    else if (length > room) return -1 - fitting;
  }
  // The range is at least 2^24, so one byte more tells the interval.
  raiseLow(byteBelow - 1);
  store<u8>(place++, low >> 24);
  return <i32>(place - target);
}

function readByte(): u32 {
  const byte = place < lastPlace ? <u32>load<u8>(place) : 0;
  place++;
  return byte;
}

function readInterval(bound: u32): i32 {
  const bit = low < bound;
  if (bit) range = bound;
  else {
    low -= bound;
    range -= bound;
  }
  while (range < byteBelow) {
    low = (low << 8) | readByte();
    range <<= 8;
  }
  return bit ? 1 : 0;
}

function read(context: i32): i32 {
  const at = contextsAt + ((<usize>context) << 3);
  const probability = load<u32>(at);
  const bit = readInterval((range >> 16) * probability);
  adapt(at, probability, bit);
  return bit;
}

function readDirect(): i32 {
  const base = mean << symbolBits;
  let node = 1;
  for (let shift = symbolBits; shift > 0; shift--) node = 2 * node + read(base + node);
  return node - (1 << symbolBits);
}

/** The symbol that {@link fold} numbered. */
function unfold(folded: i32): i32 {
  const both = min(mean, levels - 1 - mean);
  if (folded > 2 * both) {
    return mean < levels - 1 - mean ? mean + folded - both : mean - folded + both;
  }
  return folded & 1 ? mean + ((folded + 1) >> 1) : mean - (folded >> 1);
}

function readResidual(): i32 {
  const base = lengthContext();
  let length = 0;
  while (length < symbolBits && read(base + length) === 1) length++;
  let folded = length === 0 ? 0 : 1;
  for (let shift = length - 2, node = 1; shift >= 0; shift--) {
    let bit: i32;
    if (node < adaptiveNodes) {
      bit = read(firstBits + length * adaptiveNodes + node);
      node = 2 * node + bit;
    } else bit = readInterval(range >> 1);
    folded = 2 * folded + bit;
  }
  return folded < levels ? unfold(folded) : levels;
}

/**
 * Reads `count` symbols of a payload that is not trusted. Behind its end there are zeros.
 * @returns whether it was one that the encoder writes
 */
export function decodeSymbols(
  payload: usize,
  payloadBytes: i32,
  symbols: usize,
  count: i32,
  row: i32,
  column: i32,
  rows: i32,
  ofColumns: i32,
  ofLevels: i32,
): bool {
  start(ofLevels, ofColumns);
  place = payload;
  lastPlace = payload + payloadBytes;
  low = 0;
  for (let i = 0; i < 4; i++) low = (low << 8) | readByte();
  range = 0xffffffff;
  for (let i = 0; i < count; i++) {
    const at = symbols + i;
    lookAround(at, i, row, column);
    if (++column === columns) {
      column = 0;
      if (++row === rows) row = 0;
    }
    const symbol = levels <= maxDirectLevels ? readDirect() : readResidual();
    if (symbol >= levels) return false;
    store<u8>(at, symbol);
  }
  return place === lastPlace + 3;
}
