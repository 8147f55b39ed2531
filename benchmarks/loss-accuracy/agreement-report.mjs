import { fixed, formatTable } from "../tables.mjs";
import { isUnder, nameCondition } from "./conditions.mjs";

/** Two figures agree where they differ by no more than so many standard errors of the difference. */
export const agreeingErrors = 2;

/** Both forms of one row. @returns undefined where one of them was not measured */
function pairOf(real, points) {
  const simulated = points.find(
    (other) =>
      other.form === "simulated" &&
      isUnder(other, real) &&
      ["process", "rate", "method"].every((key) => other[key] === real[key]),
  );
  return simulated && { simulated, real };
}

/** Every row that both forms have, with how far apart they are. */
export function compareForms(points) {
  return points
    .filter(({ form }) => form === "real")
    .flatMap((real) => pairOf(real, points) ?? [])
    .map(({ simulated, real }) => {
      const difference = real.lossDropPoints - simulated.lossDropPoints;
      const error = Math.hypot(real.lossDropStandardError, simulated.lossDropStandardError);
      const errors =
        error === 0 ? (difference === 0 ? 0 : Number.POSITIVE_INFINITY) : Math.abs(difference) / error;
      return { simulated, real, difference, errors, agrees: errors <= agreeingErrors };
    });
}

export function formatAgreement(points) {
  const pairs = compareForms(points);
  if (pairs.length === 0) return "";
  const rows = pairs.map(({ simulated, real, errors, agrees }) => [
    ...[real.process, nameCondition(real), real.method, `${fixed(100 * real.rate, 0)} %`],
    ...[simulated, real].map(
      ({ lossDropPoints, lossDropStandardError }) =>
        `${fixed(lossDropPoints, 2)} ± ${fixed(lossDropStandardError, 2)}`,
    ),
    ...[simulated, real].map(({ complete }) => fixed(100 * complete, 1)),
    ...[simulated, real].map(({ missing }) => fixed(100 * missing, 1)),
    ...[fixed(errors, 1), agrees ? "yes" : "no"],
  ]);
  const head = ["lost", "", "method", "rate", "simulated", "real", "complete %: simulated", "real"];
  const count = pairs.filter(({ agrees }) => agrees).length;
  return `
## The simulated form beside the real stack

Drop of top-1 by the loss alone, in points. ${count} of ${pairs.length} rows agree: they differ by at most ${agreeingErrors} standard
errors of the difference, within which one row in twenty does not fall even where nothing differs but chance.

${formatTable([...head, "missing %: simulated", "real", "apart, in errors", "agree"], rows)}
`;
}
