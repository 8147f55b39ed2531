import { fixed, formatTable, groupBy } from "../tables.mjs";
import { formatAgreement } from "./agreement-report.mjs";
import { nameCondition } from "./conditions.mjs";

/** Without its sign: the columns say it. */
const percent = (share, decimals = 1) => fixed(100 * share, decimals);
const orDash = (value, format) => (value === null ? "-" : format(value));

/** Points by loss process, in the order in which they were measured. */
export function byProcess(points) {
  return groupBy(points, ({ process }) => process);
}

/** What all points have in common, and so no curve needs to be named by: `, codec raw`. */
export function commonOf(points) {
  const names = new Set(points.map(nameCondition));
  return names.size === 1 ? `, codec ${[...names][0]}` : "";
}

/** Points by the names of their curves: the method, and where there are several, the condition and the form. */
export function seriesOf(points) {
  const several = (keyOf) => new Set(points.map(keyOf)).size > 1;
  const [forms, conditions] = [several(({ form }) => form), several(nameCondition)];
  return groupBy(points, (point) =>
    [...(conditions ? [nameCondition(point)] : []), ...[point.method], ...(forms ? [point.form] : [])].join(
      "; ",
    ),
  );
}

function dropTable(points, dropOf) {
  const rates = [...new Set(points.map(({ rate }) => rate))];
  const rows = [...seriesOf(points)].map(([name, own]) => [
    name,
    ...rates.map((rate) => {
      const point = own.find((other) => other.rate === rate);
      if (point === undefined) return "-";
      const [drop, error] = dropOf(point);
      return `${fixed(drop, 2)} ± ${fixed(error, 2)}`;
    }),
  ]);
  return formatTable(["", ...rates.map((rate) => `${percent(rate, 0)} %`)], rows);
}

const dropOfAll = ({ dropPoints, dropStandardError }) => [dropPoints, dropStandardError];
const dropOfLoss = ({ lossDropPoints, lossDropStandardError }) => [lossDropPoints, lossDropStandardError];

function detailTable(points) {
  const head = [
    "rate",
    "missing %",
    "complete %",
    "undecodable %",
    "",
    "top-1 %",
    "agreement %",
    "as without loss %",
  ];
  const rows = [...seriesOf(points)].flatMap(([name, own]) =>
    own.map((point) => [
      ...[`${percent(point.rate, 0)} %`, percent(point.missing), percent(point.complete)],
      ...[percent(point.undecodable), name, percent(point.top1, 2), percent(point.agreement)],
      percent(point.lossAgreement),
      orDash(point.meanSquaredError, (error) => error.toPrecision(3)),
      fixed(point.concealMs, 3),
    ]),
  );
  return formatTable([...head, "squared error", "conceal ms"], rows);
}

/** What is sent for a tensor: all that the client sends, and what slices cost. */
function costTable(points) {
  const sent = points.filter(({ bytes }) => bytes !== undefined);
  const [{ method } = {}] = sent;
  const rows = sent
    .filter((point) => point.method === method)
    .map((point) => [
      ...[point.form, nameCondition(point), `${percent(point.rate, 0)} %`, fixed(point.bytes, 0)],
      ...[fixed(point.datagrams, 2), percent(point.lostDatagrams), percent(point.slicingCost)],
      ...[fixed(point.repairs, 2), fixed(point.recoveredSlices, 2), fixed(point.repeatedSlices, 2)],
    ]);
  if (rows.length === 0) return "";
  const head = ["form", "", "rate", "bytes", "datagrams", "lost of them %", "slices cost %"];
  return `What was sent for a tensor, all datagrams of the client included; slices cost payload bytes beside one contiguous slice:

${formatTable([...head, "repair symbols", "slices recovered", "slices sent again"], rows)}
`;
}

const isLossy = ({ codec }) => codec !== "raw";

/** The tables: the drop by curve and rate for each loss process, then all figures. */
export function formatLoss(points) {
  const sections = [...byProcess(points)].map(([process, own]) => {
    const ofLoss = own.some(isLossy)
      ? `
Of these, by the loss alone (against the same codec without loss):

${dropTable(own, dropOfLoss)}
`
      : "";
    return `## Lost: ${process}

Drop of top-1 in points, by the rate of loss:

${dropTable(own, dropOfAll)}
${ofLoss}
${costTable(own)}
${detailTable(own)}
`;
  });
  return `Without any damage: top-1 ${percent(points[0].baseTop1, 2)} %.

${sections.join("\n")}${formatAgreement(points)}`;
}
