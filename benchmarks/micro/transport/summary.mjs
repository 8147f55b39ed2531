/** Median, least and greatest of some numbers; `undefined` of none. */
export function spread(values) {
  if (values.length === 0) return undefined;
  const sorted = [...values].sort((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  return {
    median: (sorted[Math.floor(middle)] + sorted[Math.ceil(middle)]) / 2,
    min: sorted[0],
    max: sorted.at(-1),
    count: sorted.length,
  };
}

const valuesOf = (results, { measure, figure }, peer) =>
  results
    .filter((result) => result.measure === measure && result.peer === peer)
    .map((result) => ({ round: result.round, value: result.figures?.[figure] }))
    .filter(({ value }) => value !== undefined);

/** Ratios within the same round, so that what slows the whole machine for a while cancels out. */
function ratios(results, row, peer) {
  const base = new Map(valuesOf(results, row, row.over).map(({ round, value }) => [round, value]));
  return valuesOf(results, row, peer)
    .filter(({ round }) => (base.get(round) ?? 0) > 0)
    .map(({ round, value }) => value / base.get(round));
}

/** `reached` the aim, only the `must`, or `missed` both. */
function judge({ of, must, aim }, value, ratio) {
  const figure = of === "ratio" ? ratio?.median : value?.median;
  if (figure === undefined) return undefined;
  const reaches = (bound) => (of === "ratio" ? figure >= bound : figure <= bound);
  const text = of === "ratio" ? "ratio at least" : "at most";
  const bounds = [`must ${text} ${must}`, ...(aim === undefined ? [] : [`aim ${aim}`])].join(", ");
  if (!reaches(must)) return `${bounds}: MISSED`;
  if (aim === undefined) return `${bounds}: reached`;
  return reaches(aim) ? `${bounds}: both reached` : `${bounds}: must reached, aim MISSED`;
}

/** One cell for each row and peer, and for rows with a target what became of it with the engine `quiche`. */
export function summarize(results, rows, peers) {
  return rows.map((row) => {
    const cells = peers.map(({ name }) => ({
      peer: name,
      value: spread(valuesOf(results, row, name).map(({ value }) => value)),
      ratio: row.over === undefined || row.over === name ? undefined : spread(ratios(results, row, name)),
    }));
    const ours = cells.find(({ peer }) => peer === "quiche");
    const verdict = row.target === undefined ? undefined : judge(row.target, ours?.value, ours?.ratio);
    return { title: row.title, over: row.over, cells, verdict };
  });
}
