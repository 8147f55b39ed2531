/** The stages of a frame one below the other, each where it begins, up to the deadline. */
import type { FrameTimings } from "@sluice/client";
import { element } from "./element.js";

interface Row {
  readonly name: string;
  readonly stages: readonly (keyof FrameTimings)[];
  readonly colour: string;
}

const rows: readonly Row[] = [
  { name: "First half, here", stages: ["produce"], colour: "series-1" },
  { name: "Encode", stages: ["encode"], colour: "series-4" },
  { name: "Network, both ways", stages: ["network"], colour: "series-6" },
  { name: "Reassemble", stages: ["reassembly"], colour: "series-3" },
  { name: "Decode, conceal", stages: ["decode", "conceal"], colour: "lost" },
  { name: "Queue", stages: ["queue"], colour: "series-5" },
  { name: "Second half, server", stages: ["inference"], colour: "series-2" },
];

export interface Waterfall {
  draw(stages: Readonly<Record<keyof FrameTimings, number>> | undefined, deadlineMs: number): void;
}

export function createWaterfall(): Waterfall {
  const box = element("waterfall", HTMLDivElement);
  const parts = rows.map(({ name, colour }) => {
    const label = document.createElement("span");
    label.textContent = name;
    const track = document.createElement("div");
    track.className = "track";
    const bar = document.createElement("i");
    bar.style.background = `var(--${colour})`;
    const deadline = document.createElement("u");
    track.append(bar, deadline);
    const value = document.createElement("b");
    box.append(label, track, value);
    return { bar, deadline, value };
  });
  return {
    draw(stages, deadlineMs) {
      const durations = rows.map(({ stages: names }) =>
        names.reduce((sum, name) => sum + (stages?.[name] ?? 0), 0),
      );
      const total = durations.reduce((sum, ms) => sum + ms, 0);
      const scale = 100 / Math.max(deadlineMs * 1.05, total);
      let startMs = 0;
      for (const [i, { bar, deadline, value }] of parts.entries()) {
        const ms = durations[i]!;
        bar.style.left = `${startMs * scale}%`;
        bar.style.width = `${ms * scale}%`;
        bar.style.visibility = stages ? "visible" : "hidden";
        deadline.style.left = `${deadlineMs * scale}%`;
        deadline.title = `deadline, ${deadlineMs} ms`;
        value.textContent = stages ? `${ms.toFixed(1)} ms` : "–";
        startMs += ms;
      }
    },
  };
}
