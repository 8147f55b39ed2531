// Bytes of channels to one plane and back: channel c is the tile in column c mod `columns`, row floor(c / columns).

/** Copies `count` bytes; from 4 on the last move overlaps the one before it. */
function copyRow(source: usize, target: usize, count: i32): void {
  if (count >= 16) {
    const last = count - 16;
    for (let i = 0; i < last; i += 16) v128.store(target + i, v128.load(source + i));
    v128.store(target + last, v128.load(source + last));
  } else if (count >= 8) {
    store<u64>(target, load<u64>(source));
    store<u64>(target + count - 8, load<u64>(source + count - 8));
  } else if (count >= 4) {
    store<u32>(target, load<u32>(source));
    store<u32>(target + count - 4, load<u32>(source + count - 4));
  } else {
    for (let i = 0; i < count; i++) store<u8>(target + i, load<u8>(source + i));
  }
}

/** Where row `row` of a channel begins in the plane. */
function rowOffset(channel: i32, row: i32, height: i32, width: i32, columns: i32): usize {
  const tileRow = channel / columns;
  return <usize>((tileRow * height + row) * columns + (channel - tileRow * columns)) * width;
}

/** Rows `row` to `row + rows` of `channels` channels from `channel` on, together at `source`, into the plane. */
export function tile(
  source: usize,
  plane: usize,
  channel: i32,
  channels: i32,
  row: i32,
  rows: i32,
  height: i32,
  width: i32,
  columns: i32,
): void {
  const pitch = <usize>columns * width;
  for (const end = channel + channels; channel < end; channel++) {
    let to = plane + rowOffset(channel, row, height, width, columns);
    for (let i = 0; i < rows; i++) {
      copyRow(source, to, width);
      source += width;
      to += pitch;
    }
  }
}

/** The same rows from the plane to `target`. */
export function untile(
  plane: usize,
  target: usize,
  channel: i32,
  channels: i32,
  row: i32,
  rows: i32,
  height: i32,
  width: i32,
  columns: i32,
): void {
  const pitch = <usize>columns * width;
  for (const end = channel + channels; channel < end; channel++) {
    let from = plane + rowOffset(channel, row, height, width, columns);
    for (let i = 0; i < rows; i++) {
      copyRow(from, target, width);
      target += width;
      from += pitch;
    }
  }
}

/** What the 8 x 8 parts leave over: from `firstRow` to `endRow`, from `firstColumn` on. */
function transposeRest(
  source: usize,
  target: usize,
  rows: i32,
  columns: i32,
  firstRow: i32,
  endRow: i32,
  firstColumn: i32,
): void {
  for (let row = firstRow; row < endRow; row++) {
    for (let column = firstColumn; column < columns; column++) {
      store<u8>(target + <usize>column * rows + row, load<u8>(source + <usize>row * columns + column));
    }
  }
}

/** 8 x 8 bytes: three rounds of interleaving. */
function transpose8(source: usize, pitch: usize, target: usize, targetPitch: usize): void {
  const r01 = zip8(v128.load64_zero(source), v128.load64_zero(source + pitch));
  const r23 = zip8(v128.load64_zero(source + 2 * pitch), v128.load64_zero(source + 3 * pitch));
  const r45 = zip8(v128.load64_zero(source + 4 * pitch), v128.load64_zero(source + 5 * pitch));
  const r67 = zip8(v128.load64_zero(source + 6 * pitch), v128.load64_zero(source + 7 * pitch));
  const upperLeft = i16x8.shuffle(r01, r23, 0, 8, 1, 9, 2, 10, 3, 11);
  const upperRight = i16x8.shuffle(r01, r23, 4, 12, 5, 13, 6, 14, 7, 15);
  const lowerLeft = i16x8.shuffle(r45, r67, 0, 8, 1, 9, 2, 10, 3, 11);
  const lowerRight = i16x8.shuffle(r45, r67, 4, 12, 5, 13, 6, 14, 7, 15);
  store2(target, targetPitch, i32x4.shuffle(upperLeft, lowerLeft, 0, 4, 1, 5));
  store2(target + 2 * targetPitch, targetPitch, i32x4.shuffle(upperLeft, lowerLeft, 2, 6, 3, 7));
  store2(target + 4 * targetPitch, targetPitch, i32x4.shuffle(upperRight, lowerRight, 0, 4, 1, 5));
  store2(target + 6 * targetPitch, targetPitch, i32x4.shuffle(upperRight, lowerRight, 2, 6, 3, 7));
}

function zip8(a: v128, b: v128): v128 {
  return i8x16.shuffle(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
}

function store2(target: usize, pitch: usize, rows: v128): void {
  v128.store64_lane(target, rows, 0);
  v128.store64_lane(target + pitch, rows, 1);
}

/** Transposes a `rows` x `columns` matrix of bytes. */
export function transpose(source: usize, target: usize, rows: i32, columns: i32): void {
  const wholeRows = rows & -8;
  const wholeColumns = columns & -8;
  for (let row = 0; row < wholeRows; row += 8) {
    for (let column = 0; column < wholeColumns; column += 8) {
      const from = source + <usize>row * columns + column;
      transpose8(from, columns, target + <usize>column * rows + row, rows);
    }
  }
  transposeRest(source, target, rows, columns, 0, wholeRows, wholeColumns);
  transposeRest(source, target, rows, columns, wholeRows, rows, 0);
}

/** 16 bytes' entries of a part of the table; bytes below `first` wrap round, so that they too have none: 0. */
function entries16(table: usize, bytes: v128, first: i8): v128 {
  return i8x16.swizzle(v128.load(table), i8x16.sub(bytes, i8x16.splat(first)));
}

/**
 * Replaces `count` bytes by what a table has for them; reads and writes up to 15 more.
 * @param table 256 bytes, 0 from `entries` on
 */
export function lookUp(table: usize, entries: i32, source: usize, target: usize, count: i32): void {
  const end = source + count;
  if (entries <= 32) {
    for (; source < end; source += 16, target += 16) {
      const bytes = v128.load(source);
      v128.store(target, v128.or(entries16(table, bytes, 0), entries16(table + 16, bytes, 16)));
    }
    return;
  }
  for (; source < end; source += 8, target += 8) {
    const bytes = load<u64>(source);
    let found: u64 = load<u8>(table + <usize>(bytes & 0xff));
    found |= (<u64>load<u8>(table + <usize>((bytes >> 8) & 0xff))) << 8;
    found |= (<u64>load<u8>(table + <usize>((bytes >> 16) & 0xff))) << 16;
    found |= (<u64>load<u8>(table + <usize>((bytes >> 24) & 0xff))) << 24;
    found |= (<u64>load<u8>(table + <usize>((bytes >> 32) & 0xff))) << 32;
    found |= (<u64>load<u8>(table + <usize>((bytes >> 40) & 0xff))) << 40;
    found |= (<u64>load<u8>(table + <usize>((bytes >> 48) & 0xff))) << 48;
    found |= (<u64>load<u8>(table + <usize>(bytes >> 56))) << 56;
    store<u64>(target, found);
  }
}
