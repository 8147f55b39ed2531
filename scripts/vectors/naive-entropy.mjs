// The stage `entropy` of spec 6.10, as the text says: one large number is the whole payload.
const bitsOf = (value) => (value === 0 ? 0 : value.toString(2).length);

function around(coded, at, element, rows, columns, levels) {
  const column = element % columns;
  const row = Math.floor(element / columns) % rows;
  const known = (x, y, back) => (x >= 0 && x < columns && y >= 0 ? coded[at - back] : undefined);
  let left = known(column - 1, row, 1);
  let up = known(column, row - 1, columns);
  if (left === undefined && up === undefined) return { m: Math.floor(levels / 2), g: 0 };
  left ??= up;
  up ??= left;
  const corner = known(column - 1, row - 1, columns + 1) ?? Math.floor((left + up) / 2);
  const next = known(column + 1, row - 1, columns - 1) ?? up;
  return {
    m: Math.floor((2 * left + 2 * up + corner + next + 3) / 6),
    g: Math.abs(left - corner) + Math.abs(up - corner) + Math.abs(up - next),
  };
}

/** Codes or reads one symbol: `decide(context, bit)` gives the bit that is, `undefined` as context for an even one. */
function codeSymbol(symbol, { m, g }, levels, decide) {
  const width = bitsOf(levels - 1);
  if (levels <= 8) {
    let word = "";
    for (let i = 0; i < width; i++) {
      const bit = symbol === undefined ? undefined : (symbol >> (width - 1 - i)) & 1;
      word += decide(`${m} ${word}`, bit);
    }
    return Number.parseInt(word, 2);
  }
  const r = Math.min(m, levels - 1 - m);
  const number = (value) => {
    const e = value - m;
    if (Math.abs(e) > r) return r + Math.abs(e);
    return e > 0 ? 2 * e - 1 : -2 * e;
  };
  const z = symbol === undefined ? undefined : number(symbol);
  const c = Math.min(3, bitsOf(Math.floor((16 * g) / levels)));
  let n = 0;
  while (n < width && decide(`length ${c} ${n}`, z === undefined ? undefined : Number(bitsOf(z) > n)) === 1)
    n++;
  let word = n === 0 ? "0" : "1";
  for (let i = 1; i < n; i++) {
    const bit = z === undefined ? undefined : (z >> (n - 1 - i)) & 1;
    word += decide(i <= 2 ? `rest ${n} ${word}` : undefined, bit);
  }
  const read = Number.parseInt(word, 2);
  // The symbol whose number it is, if there is one.
  for (let value = 0; value < levels; value++) if (number(value) === read) return value;
  return levels;
}

function createContexts() {
  const contexts = new Map();
  return (name) => {
    if (!contexts.has(name)) contexts.set(name, { p: 32768, k: 0 });
    const context = contexts.get(name);
    return {
      p: context.p,
      learn(bit) {
        const w = Math.floor(65536 / (2 * context.k + 3));
        if (bit === 1) context.p = Math.min(65472, context.p + Math.floor(((65536 - context.p) * w) / 32768));
        else context.p = Math.max(64, context.p - Math.floor((context.p * w) / 32768));
        context.k = Math.min(60, context.k + 1);
      },
    };
  };
}

/** Symbols `from` on, of a tensor whose channels have rows and columns; gives hex. */
export function encodeEntropy(symbols, from, { rows, columns }, levels) {
  const contextOf = createContexts();
  let low = 0n;
  let range = 2n ** 32n - 1n;
  let shifts = 0;
  const decide = (name, bit) => {
    const context = name === undefined ? undefined : contextOf(name);
    const b = context ? (range / 65536n) * BigInt(context.p) : range / 2n;
    if (bit === 1) range = b;
    else {
      low += b;
      range -= b;
    }
    context?.learn(bit);
    for (; range < 2n ** 24n; shifts++) {
      range *= 256n;
      low *= 256n;
    }
    return bit;
  };
  for (const [i, symbol] of symbols.entries())
    codeSymbol(symbol, around(symbols.slice(0, i), i, from + i, rows, columns, levels), levels, decide);
  const value = (low + 2n ** 24n - 1n) / 2n ** 24n;
  return value.toString(16).padStart(2 * (shifts + 1), "0");
}

/** `undefined` where the payload is refused. */
export function decodeEntropy(hex, count, from, { rows, columns }, levels) {
  const contextOf = createContexts();
  const byte = (i) => Number.parseInt(hex.slice(2 * i, 2 * i + 2) || "0", 16);
  let at = 4;
  let offset = [0, 1, 2, 3].reduce((sum, i) => sum * 256n + BigInt(byte(i)), 0n);
  let range = 2n ** 32n - 1n;
  const decide = (name) => {
    const context = name === undefined ? undefined : contextOf(name);
    const b = context ? (range / 65536n) * BigInt(context.p) : range / 2n;
    const bit = offset < b ? 1 : 0;
    if (bit === 1) range = b;
    else {
      offset -= b;
      range -= b;
    }
    context?.learn(bit);
    for (; range < 2n ** 24n; at++) {
      range *= 256n;
      offset = offset * 256n + BigInt(byte(at));
    }
    return bit;
  };
  const symbols = [];
  for (let i = 0; i < count; i++) {
    const symbol = codeSymbol(undefined, around(symbols, i, from + i, rows, columns, levels), levels, decide);
    if (symbol >= levels) return undefined;
    symbols.push(symbol);
  }
  return at - 3 === hex.length / 2 ? symbols : undefined;
}
