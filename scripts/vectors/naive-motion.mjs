// Blocks that come from elsewhere (spec 6.11, Vectors), as slowly as the text says it. Every product and every sum is rounded to
// binary32, from the first term on.
const { fround } = Math;

const sumOf = (terms) => terms.map(([a, b]) => fround(a * b)).reduce((sum, term) => fround(sum + term));

const wave = (k, i, n) => fround(Math.sqrt((k === 0 ? 1 : 2) / n) * Math.cos((Math.PI * (i + 0.5) * k) / n));

const upTo = (length) => Array.from({ length }, (_, i) => i);
const limited = (value, length) => Math.min(length - 1, Math.max(0, value));

/** Gauss-Jordan elimination in binary64: the inverse of a matrix, an array of rows. */
function inverseOf(matrix) {
  const size = matrix.length;
  const rows = matrix.map((row, i) => [...row, ...upTo(size).map((j) => (i === j ? 1 : 0))]);
  for (let column = 0; column < size; column++) {
    let best = column;
    for (let i = column; i < size; i++) {
      if (Math.abs(rows[i][column]) > Math.abs(rows[best][column])) best = i;
    }
    const divisor = rows[best][column];
    [rows[best], rows[column]] = [rows[column], rows[best].map((value) => value / divisor)];
    for (let i = 0; i < size; i++) {
      const factor = rows[i][column];
      if (i !== column && factor !== 0) rows[i] = rows[i].map((value, j) => value - factor * rows[column][j]);
    }
  }
  return rows.map((row) => row.slice(size));
}

/**
 * @param of `{ channels, width, height, h, w, columns }`, `matrixOf`, `matrices` and `gains` as numbers
 * @returns `(coefficientOf, block, [dy, dx])`: the coefficients of a block by band times channels plus component, where
 *   `coefficientOf(block, i)` gives those of the frame before
 */
export function createNaiveMotion({ channels, width, height, h, w, columns, matrixOf, matrices, gains }) {
  const share = (m, k, c) => {
    if (matrices.length === 0) return c === k ? gains[m * channels + k] : 0;
    return gains[m * channels + k] * matrices[(m * channels + k) * channels + c];
  };
  const inverses = upTo(gains.length / channels).map((m) =>
    inverseOf(upTo(channels).map((c) => upTo(channels).map((k) => share(m, k, c)))),
  );

  /** An element of the frame before, less its mean. */
  function elementOf(coefficientOf, c, y, x) {
    const block = Math.floor(y / h) * columns + Math.floor(x / w);
    const bandValue = (g, f) => {
      const b = g * w + f;
      return sumOf(
        upTo(channels).map((k) => [coefficientOf(block, b * channels + k), fround(share(matrixOf[b], k, c))]),
      );
    };
    const across = upTo(w).map((f) => sumOf(upTo(h).map((g) => [wave(g, y % h, h), bandValue(g, f)])));
    return sumOf(across.map((value, f) => [wave(f, x % w, w), value]));
  }

  return (coefficientOf, block, [dy, dx]) => {
    const [top, left] = [Math.floor(block / columns) * h, (block % columns) * w];
    const [i, j] = [Math.floor(dy / 8), Math.floor(dx / 8)];
    const [p, q] = [dy - 8 * i, dx - 8 * j];
    const sample = (c, y, x) => {
      const row = limited(top + y, height) + i;
      const column = limited(left + x, width) + j;
      const at = (below, right) =>
        elementOf(coefficientOf, c, limited(row + below, height), limited(column + right, width));
      const four = [
        [(8 - p) * (8 - q), at(0, 0)],
        [(8 - p) * q, at(0, 1)],
        [p * (8 - q), at(1, 0)],
        [p * q, at(1, 1)],
      ];
      return sumOf(four) / 64;
    };
    const bandOf = (c, g, f) => {
      const rows = upTo(h).map((y) => sumOf(upTo(w).map((x) => [wave(f, x, w), sample(c, y, x)])));
      return sumOf(rows.map((value, y) => [wave(g, y, h), value]));
    };
    return upTo(h * w).flatMap((b) => {
      const values = upTo(channels).map((c) => bandOf(c, Math.floor(b / w), b % w));
      return upTo(channels).map((k) => {
        const inverse = inverses[matrixOf[b]][k];
        if (matrices.length === 0) return fround(values[k] * fround(1 / gains[matrixOf[b] * channels + k]));
        return sumOf(values.map((value, c) => [value, fround(inverse[c])]));
      });
    });
  };
}
