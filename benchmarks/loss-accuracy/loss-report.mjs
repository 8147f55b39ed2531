import { fixed, formatTable } from "../accuracy/describe-run.mjs";

const percent = (share, decimals = 1) => fixed(100 * share, decimals);

/** Points by loss process, in the order in which they were measured. */
export function byProcess(points) {
  const groups = new Map();
  for (const point of points) groups.set(point.process, [...(groups.get(point.process) ?? []), point]);
  return groups;
}

function dropTable(points) {
  const rates = [...new Set(points.map(({ rate }) => rate))];
  const methods = [...new Set(points.map(({ method }) => method))];
  const rows = methods.map((method) => [
    method,
    ...rates.map((rate) => {
      const point = points.find((other) => other.method === method && other.rate === rate);
      return `${fixed(point.dropPoints, 2)} ± ${fixed(point.dropStandardError, 2)}`;
    }),
  ]);
  return formatTable(["method", ...rates.map((rate) => `${percent(rate, 0)} %`)], rows);
}

function detailTable(points) {
  const head = ["rate", "missing %", "complete %", "undecodable %", "method", "top-1 %", "agreement %"];
  return formatTable(
    [...head, "squared error", "conceal ms"],
    points.map((point) => [
      ...[`${percent(point.rate, 0)} %`, percent(point.missing), percent(point.complete)],
      ...[percent(point.undecodable), point.method, percent(point.top1, 2), percent(point.agreement)],
      point.meanSquaredError === null ? "-" : point.meanSquaredError.toPrecision(3),
      fixed(point.concealMs, 3),
    ]),
  );
}

/** The tables: the drop by method and rate for each loss process, then all figures. */
export function formatLoss(points) {
  const sections = [...byProcess(points)].map(
    ([process, own]) => `## Lost: ${process}

Drop of top-1 in points, by the rate of loss:

${dropTable(own)}

${detailTable(own)}
`,
  );
  return `Without any damage: top-1 ${percent(points[0].baseTop1, 2)} %.

${sections.join("\n")}`;
}
