import type { BandwidthInterval, LayerFigures, ProfiledOption } from "@sluice/inference";
import { totalInferenceMs } from "@sluice/protocol";
import { formatBytes, formatTable } from "./format-table.js";

/** Bandwidths that times are told for, in Mbit/s. */
const toldMegabits = [1, 5, 20, 100];

/** `2.5 Mbit/s`. */
export function formatBandwidth(bitsPerSecond: number): string {
  if (bitsPerSecond >= 1e9) return `${Number((bitsPerSecond / 1e9).toPrecision(2))} Gbit/s`;
  if (bitsPerSecond >= 1e6) return `${Number((bitsPerSecond / 1e6).toPrecision(2))} Mbit/s`;
  return `${Number((bitsPerSecond / 1e3).toPrecision(2))} kbit/s`;
}

/** `quantize:levels=8 | entropy` is `quantize+entropy`. */
function stagesOf(codec: string): string {
  return codec
    .split("|")
    .map((stage) => stage.trim().split(":", 1)[0])
    .join("+");
}

/**
 * Names ways to run a model in few words: `client only`, `server only, raw`, `add_3`, or `add_3, quantize+entropy` where
 * cuts are coded in more than one way; whole texts of codecs where their stages do not tell them apart.
 */
export function nameOptions(options: readonly ProfiledOption[]): (option: ProfiledOption) => string {
  const codecs = new Set(options.map(({ codec }) => codec));
  const isClear = new Set([...codecs].map(stagesOf)).size === codecs.size;
  const several = new Set(options.filter(({ split }) => split !== "").map(({ codec }) => codec)).size > 1;
  return ({ strategy, split, codec }) => {
    const how = isClear ? stagesOf(codec) : codec;
    if (strategy === "client") return "client only";
    if (strategy === "server") return `server only, ${how}`;
    return several ? `${split}, ${how}` : split;
  };
}

const ms = (value: number) => value.toFixed(value < 10 ? 2 : 1);

/** The terms of every way, and the total at some bandwidths. */
export function formatOptions(options: readonly ProfiledOption[], rttMs: number): string {
  const nameOf = nameOptions(options);
  const right = (title: string) => ({ title, align: "right" as const });
  return formatTable(
    [
      { title: "where" },
      ...["I_c ms", "E_c ms", "D", "E_s ms", "I_s ms"].map(right),
      ...toldMegabits.map((megabits) => right(`at ${megabits}`)),
    ],
    options.map((option) => [
      nameOf(option),
      ms(option.clientMs),
      ms(option.encodeMs),
      formatBytes(option.bytes),
      ms(option.decodeMs),
      ms(option.serverMs),
      ...toldMegabits.map((megabits) =>
        ms(totalInferenceMs(option, { bitsPerSecond: megabits * 1e6, rttMs })),
      ),
    ]),
  );
}

/** Which way is the fastest at which bandwidth. */
export function formatIntervals(
  intervals: readonly BandwidthInterval<ProfiledOption>[],
  nameOf: (option: ProfiledOption) => string,
): string {
  return intervals
    .map(({ option, fromBitsPerSecond: from, toBitsPerSecond: to }) => {
      const range =
        from === 0
          ? to === Number.POSITIVE_INFINITY
            ? "always"
            : `below ${formatBandwidth(to)}`
          : to === Number.POSITIVE_INFINITY
            ? `above ${formatBandwidth(from)}`
            : `${formatBandwidth(from)} to ${formatBandwidth(to)}`;
      return `  ${range.padEnd(26)}  ${nameOf(option)}\n`;
    })
    .join("");
}

/** Bars of eight heights, two bins of the histogram each. */
function sparkline(histogram: readonly number[]): string {
  const pairs = Array.from(
    { length: histogram.length / 2 },
    (_, i) => histogram[2 * i]! + histogram[2 * i + 1]!,
  );
  const peak = Math.max(...pairs, 1);
  return pairs
    .map((count) => (count === 0 ? " " : "▁▂▃▄▅▆▇█"[Math.min(7, Math.floor((8 * count) / peak))]))
    .join("");
}

/** What is known about each layer. */
export function formatLayers(layers: readonly LayerFigures[]): string {
  const right = (title: string) => ({ title, align: "right" as const });
  return formatTable(
    [
      { title: "layer" },
      { title: "shape" },
      ...["time until ms", "work", "uncompressed", "compressed", "mean", "sigma", "in 3 sigma"].map(right),
      { title: "-4 sigma to +4" },
    ],
    layers.map((layer) => {
      const { mean, deviation, within3Sigma, histogram } = layer.distribution;
      return [
        layer.split,
        (layer.shapes ?? [layer.shape]).map((shape) => shape.join("x") || "scalar").join(" + "),
        ms(layer.cumulativeMs),
        `${(100 * layer.workShare).toFixed(1)} %`,
        formatBytes(layer.uncompressedBytes),
        layer.compressedBytes === null ? "-" : formatBytes(layer.compressedBytes),
        mean.toPrecision(3),
        deviation.toPrecision(3),
        `${(100 * within3Sigma).toFixed(2)} %`,
        sparkline(histogram),
      ];
    }),
  );
}
