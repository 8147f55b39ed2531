import { element } from "./element.js";
import type { FrameEnd } from "./messages.js";

const shown = 3;

/** The most probable classes of the latest frame. */
export function createPredictions(): { draw(end: FrameEnd): void } {
  const list = element("predictions", HTMLOListElement);
  const caption = element("prediction-caption", HTMLParagraphElement);
  const rows = Array.from({ length: shown }, () => {
    const row = document.createElement("li");
    const name = document.createElement("span");
    const score = document.createElement("b");
    const bar = document.createElement("span");
    bar.className = "bar";
    const fill = document.createElement("i");
    bar.append(fill);
    row.append(name, score, bar);
    row.hidden = true;
    list.append(row);
    return { row, name, score, fill };
  });
  return {
    draw({ predictions, isRight, concealedFraction, candidate }) {
      for (const [i, { row, name, score, fill }] of rows.entries()) {
        const prediction = predictions[i];
        row.hidden = !prediction;
        if (!prediction) continue;
        name.textContent = prediction.name;
        score.textContent = `${(100 * prediction.score).toFixed(0)} %`;
        fill.style.width = `${100 * prediction.score}%`;
      }
      const verdict = isRight === undefined ? "" : isRight ? "right · " : "wrong · ";
      caption.textContent = `${verdict}${(100 * concealedFraction).toFixed(1)} % concealed · ran ${candidate}`;
    },
  };
}
