import { element } from "./element.js";
import type { HistorySummary } from "./history.js";

/** The large figures of the last seconds. */
export function createTiles(): { draw(summary: HistorySummary): void } {
  const show = (id: string, value: number | null, digits: number, unit: string, note = "") => {
    const box = element(id, HTMLElement);
    box.textContent = value === null ? "–" : value.toFixed(digits);
    if (value === null) return;
    const small = document.createElement("small");
    small.textContent = `${unit}${note}`;
    box.append(small);
  };
  return {
    draw({
      onTimePercent,
      medianMs,
      framesPerSecond,
      bytesPerFrame,
      concealedPercent,
      accuracyPercent,
      accuracyCount,
    }) {
      show("tile-on-time", onTimePercent, 1, " %");
      show("tile-latency", medianMs, 0, " ms");
      show("tile-fps", framesPerSecond, 1, "");
      show("tile-bytes", bytesPerFrame, 0, " B");
      show("tile-concealed", concealedPercent, 1, " %");
      show("tile-accuracy", accuracyPercent, 1, " %", accuracyCount > 0 ? ` of ${accuracyCount}` : "");
    },
  };
}
