/** Logarithm of the bytes at a PSNR between two points of a curve, in proportion. */
function logBytesAt(sorted, psnrDb) {
  const i = Math.max(
    1,
    sorted.findIndex((point) => point.psnrDb >= psnrDb),
  );
  const [a, b] = [sorted[i - 1], sorted[i]];
  const share = (psnrDb - a.psnrDb) / (b.psnrDb - a.psnrDb);
  return Math.log(a.bytes) + share * (Math.log(b.bytes) - Math.log(a.bytes));
}

const steps = 200;

/**
 * Bytes of one curve over those of another at equal PSNR: the mean of the logarithms' difference over the PSNR that
 * both reach, as Bjontegaard has it (ITU-T VCEG-M33), with straight lines between the points.
 * @param points of a curve, `{ bytes, psnrDb }`; those without a finite PSNR do not count
 * @returns undefined where the curves have no PSNR in common
 */
export function ratioAtEqualError(points, reference) {
  const [a, b] = [points, reference].map((curve) =>
    curve.filter(({ psnrDb }) => psnrDb !== null).sort((p, q) => p.psnrDb - q.psnrDb),
  );
  if (a.length < 2 || b.length < 2) return undefined;
  const low = Math.max(a[0].psnrDb, b[0].psnrDb);
  const high = Math.min(a.at(-1).psnrDb, b.at(-1).psnrDb);
  if (!(high > low)) return undefined;
  let sum = 0;
  for (let i = 0; i < steps; i++) {
    const psnrDb = low + ((i + 0.5) / steps) * (high - low);
    sum += logBytesAt(a, psnrDb) - logBytesAt(b, psnrDb);
  }
  return Math.exp(sum / steps);
}
