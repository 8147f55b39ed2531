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
 * @param blockSize images that follow one another and may share their fate, as in a burst of losses: the standard error
 *   is that of so long blocks; 1 where each is damaged by itself
 * @returns `top1` and `agreement` as shares; `dropPoints`, percentage points of top-1 lost, with its standard error,
 *   which is paired: of the differences image by image, as both predictions are of the same images (null with fewer
 *   than two blocks)
 */
export function comparePredictions(labels, base, predictions, blockSize = 1) {
  let labelled = 0;
  let baseRight = 0;
  let right = 0;
  let agreeing = 0;
  const blocks = [];
  for (let i = 0; i < labels.length; i++) {
    if (base[i] === predictions[i]) agreeing++;
    if (labels[i] === undefined) continue;
    const was = Number(base[i] === labels[i]);
    const is = Number(predictions[i] === labels[i]);
    if (labelled % blockSize === 0) blocks.push({ images: 0, lost: 0 });
    blocks.at(-1).images++;
    blocks.at(-1).lost += was - is;
    labelled++;
    baseRight += was;
    right += is;
  }
  const share = (count) => (labelled === 0 ? null : count / labelled);
  const mean = (baseRight - right) / labelled;
  const squares = blocks.reduce((sum, { images, lost }) => sum + (lost - images * mean) ** 2, 0);
  const variance = (squares * blocks.length) / (blocks.length - 1);
  return {
    n: labels.length,
    labelled,
    top1: share(right),
    baseTop1: share(baseRight),
    dropPoints: labelled === 0 ? null : 100 * mean,
    dropStandardError: blocks.length < 2 ? null : (100 * Math.sqrt(variance)) / labelled,
    agreement: agreeing / labels.length,
  };
}
