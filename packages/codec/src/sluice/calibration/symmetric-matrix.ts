/** Eigenvalues of a symmetric matrix, largest first, and its eigenvectors of length 1 as the rows of `vectors`. */
export interface Eigensystem {
  readonly values: Float64Array;
  readonly vectors: Float64Array;
}

/** Rotations go on until what is beside the diagonal is so small against it (both squared), or so often. */
const precision = 1e-18;
const maxSweeps = 60;

/** By Jacobi's rotations (Golub & Van Loan, Matrix Computations, 8.5). */
export function eigensystem(matrix: Float64Array, size: number): Eigensystem {
  const a = matrix.slice();
  const rows = new Float64Array(size * size);
  for (let i = 0; i < size; i++) rows[i * size + i] = 1;
  for (let sweep = 0; sweep < maxSweeps && !isDiagonal(a, size); sweep++) {
    for (let p = 0; p < size; p++) for (let q = p + 1; q < size; q++) rotate(a, rows, size, p, q);
  }
  const order = Array.from({ length: size }, (_, i) => i).sort((i, j) => a[j * size + j]! - a[i * size + i]!);
  const vectors = new Float64Array(size * size);
  for (const [to, from] of order.entries()) {
    vectors.set(rows.subarray(from * size, (from + 1) * size), to * size);
  }
  return { values: Float64Array.from(order, (i) => a[i * size + i]!), vectors };
}

function isDiagonal(a: Float64Array, size: number): boolean {
  let beside = 0;
  let along = 0;
  for (let i = 0; i < size; i++) {
    along += a[i * size + i]! ** 2;
    for (let j = 0; j < i; j++) beside += a[i * size + j]! ** 2;
  }
  return beside <= precision * along;
}

function rotate(a: Float64Array, rows: Float64Array, size: number, p: number, q: number): void {
  const beside = a[p * size + q]!;
  if (beside === 0) return;
  const theta = (a[q * size + q]! - a[p * size + p]!) / (2 * beside);
  const tangent = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1));
  const cosine = 1 / Math.sqrt(tangent * tangent + 1);
  const sine = tangent * cosine;
  for (let k = 0; k < size; k++) turn(a, k * size + p, k * size + q, cosine, sine);
  for (let k = 0; k < size; k++) turn(a, p * size + k, q * size + k, cosine, sine);
  for (let k = 0; k < size; k++) turn(rows, p * size + k, q * size + k, cosine, sine);
}

function turn(array: Float64Array, i: number, j: number, cosine: number, sine: number): void {
  const first = array[i]!;
  const second = array[j]!;
  array[i] = cosine * first - sine * second;
  array[j] = sine * first + cosine * second;
}

/** The product of two square matrices. */
export function multiply(a: Float64Array, b: Float64Array, size: number): Float64Array {
  const product = new Float64Array(size * size);
  for (let i = 0; i < size; i++) {
    for (let k = 0; k < size; k++) {
      const factor = a[i * size + k]!;
      for (let j = 0; j < size; j++) {
        product[i * size + j] = product[i * size + j]! + factor * b[k * size + j]!;
      }
    }
  }
  return product;
}

/** A matrix of these eigenvectors and eigenvalues. */
export function compose(values: Float64Array, vectors: Float64Array): Float64Array {
  const size = values.length;
  const matrix = new Float64Array(size * size);
  for (let k = 0; k < size; k++) {
    for (let i = 0; i < size; i++) {
      const factor = values[k]! * vectors[k * size + i]!;
      for (let j = 0; j < size; j++) {
        matrix[i * size + j] = matrix[i * size + j]! + factor * vectors[k * size + j]!;
      }
    }
  }
  return matrix;
}

export function trace(matrix: Float64Array, size: number): number {
  let sum = 0;
  for (let i = 0; i < size; i++) sum += matrix[i * size + i]!;
  return sum;
}
