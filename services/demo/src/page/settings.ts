/** What the controls set. */
export interface Settings {
  readonly source: "clip" | "camera" | "drawing";
  /** The tensor at the cut. */
  readonly cut: string;
  readonly strategy: StrategyChoice;
  readonly codec: string;
  readonly fec: string;
  readonly concealment: string;
  readonly deadlineMs: number;
  readonly framesPerSecond: number;
  readonly network: NetworkSettings;
}

export type StrategyChoice = "auto" | "shared" | "client" | "server";

/** Each way. */
export interface NetworkSettings {
  readonly delayMs: number;
  readonly lossPercent: number;
  readonly burst: number;
  readonly rateBitsPerSecond: number | null;
  /** Nothing gets through over UDP. */
  readonly isBlocked: boolean;
}

export const defaultSettings: Omit<Settings, "cut"> = {
  source: "clip",
  strategy: "shared",
  codec: "quantize:levels=32,clip=6,per=tensor",
  fec: "",
  concealment: "auto",
  deadlineMs: 150,
  framesPerSecond: 30,
  network: { delayMs: 20, lossPercent: 3, burst: 1, rateBitsPerSecond: null, isBlocked: false },
};

export interface Choice {
  readonly value: string;
  readonly text: string;
}

export const codecs: readonly Choice[] = [
  { value: "quantize:levels=32,clip=6,per=tensor", text: "Quantize to 32 levels" },
  { value: "quantize:levels=8,clip=3", text: "Quantize to 8 levels" },
  { value: "quantize:levels=32,clip=6,per=tensor | entropy", text: "Quantize, entropy-coded" },
  { value: "sluice", text: "Sluice (transform, entropy)" },
  { value: "quantize:levels=256,clip=4 | tile | jpeg:quality=60", text: "Tiled into a JPEG" },
];

export const concealments: readonly Choice[] = [
  { value: "auto", text: "Auto: neighbours, channels, time" },
  { value: "zero", text: "Zero" },
  { value: "channel-mean", text: "Channel mean" },
  { value: "spatial", text: "Spatial neighbours" },
  { value: "temporal", text: "The frame before" },
];

export const rates: readonly Choice[] = [
  { value: "", text: "Unlimited" },
  { value: "20000000", text: "20 Mbit/s" },
  { value: "5000000", text: "5 Mbit/s" },
  { value: "1000000", text: "1 Mbit/s" },
  { value: "300000", text: "300 kbit/s" },
];
