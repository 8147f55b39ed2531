/** The longest that an answer is shown without `--json`. */
const maxShown = 48;

/** The first prediction of a classifier, else the whole in short. */
export function describeAnswer(answer: unknown): string {
  if (answer === null) return "no answer";
  const [best] = predictionsOf(answer);
  if (best) return `${best.description} ${best.score}`;
  const text = JSON.stringify(answer);
  return text.length > maxShown ? `${text.slice(0, maxShown)}...` : text;
}

interface Prediction {
  readonly description: string;
  readonly score: number;
}

function predictionsOf(answer: unknown): readonly Prediction[] {
  if (typeof answer !== "object" || answer === null || !("predictions" in answer)) return [];
  return Array.isArray(answer.predictions) ? answer.predictions.filter(isPrediction) : [];
}

function isPrediction(value: unknown): value is Prediction {
  return typeof value === "object" && value !== null && "description" in value && "score" in value;
}
