/** The index of the largest value; of equal ones the first, as `classify` has it. */
export function argmax(values) {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (values[i] > values[best]) best = i;
  return best;
}

/**
 * How predictions compare with those of the same images without any damage.
 * @param labels the true class of each image; undefined where it is not known: such an image counts for the
 *   agreement alone
 * @returns `top1` and `agreement` as shares; `dropPoints`, percentage points of top-1 lost, with its standard error,
 *   which is paired: of the differences image by image, as both predictions are of the same images (null with fewer
 *   than two labels)
 */
export function comparePredictions(labels, base, predictions) {
  let labelled = 0;
  let baseRight = 0;
  let right = 0;
  let squares = 0;
  let agreeing = 0;
  for (let i = 0; i < labels.length; i++) {
    if (base[i] === predictions[i]) agreeing++;
    if (labels[i] === undefined) continue;
    const was = Number(base[i] === labels[i]);
    const is = Number(predictions[i] === labels[i]);
    labelled++;
    baseRight += was;
    right += is;
    squares += (was - is) ** 2;
  }
  const share = (count) => (labelled === 0 ? null : count / labelled);
  const mean = (baseRight - right) / labelled;
  const variance = (squares - labelled * mean ** 2) / (labelled - 1);
  return {
    n: labels.length,
    labelled,
    top1: share(right),
    baseTop1: share(baseRight),
    dropPoints: labelled === 0 ? null : 100 * mean,
    dropStandardError: labelled < 2 ? null : 100 * Math.sqrt(Math.max(0, variance) / labelled),
    agreement: agreeing / labels.length,
  };
}
