/** What is measured: every tensor over every link. */
export const sizes = [5_120, 100_352];
export const losses = [
  { loss: 0, burst: 1 },
  { loss: 0.01, burst: 1 },
  { loss: 0.01, burst: 4 },
  { loss: 0.02, burst: 1 },
  { loss: 0.02, burst: 4 },
  { loss: 0.05, burst: 1 },
  { loss: 0.05, burst: 4 },
];

export const framesPerSecond = 30;
export const deadlineMs = 150;
/** Each direction of the link. Loopback would take packets of ten times the size, and a tensor would be seven of them. */
export const link = { rateBitsPerSecond: 20_000_000, delayMs: 20, queueMs: 100, mtuBytes: 1_500 };

export const cells = sizes.flatMap((bytes) => losses.map(({ loss, burst }) => ({ bytes, loss, burst })));

/** What is done about loss: fields of a stream's options. */
export const protections = {
  none: {},
  again: { minReceivedPercent: 100 },
  fec: { fec: "rs:max=15" },
  xor: { fec: "xor:max=15" },
  both: { minReceivedPercent: 100, fec: "rs:max=15" },
};

/** What has to hold, by the size of the tensors. */
export const bounds = {
  5120: { onTimeShare: 0.995, p99Ms: 100 },
  100352: { onTimeShare: 0.99, meanReceived: 0.9, goodputShare: 0.8 },
};

export function cellName({ bytes, loss, burst, protection = "none" }) {
  const runs = loss === 0 ? "" : burst > 1 ? `, bursts of ${burst}` : ", single";
  return `${bytes.toLocaleString("en")} B, ${loss * 100} % loss${runs}${protection === "none" ? "" : `, ${protection}`}`;
}
