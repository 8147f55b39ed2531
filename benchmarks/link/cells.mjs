/** What is measured: every tensor over every link. */
const sizes = [5_120, 100_352];
const losses = [
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

/** What has to hold, by the size of the tensors. */
export const bounds = {
  5120: { onTimeShare: 0.995, p99Ms: 100 },
  100352: { onTimeShare: 0.99, meanReceived: 0.9, goodputShare: 0.8 },
};

export const cellName = ({ bytes, loss, burst }) =>
  `${bytes.toLocaleString("en")} B, ${loss * 100} % loss${loss > 0 ? (burst > 1 ? `, bursts of ${burst}` : ", single") : ""}`;
