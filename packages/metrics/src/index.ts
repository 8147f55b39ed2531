export {
  createMetrics,
  type DatagramDirection,
  type FrameAgePoint,
  type FrameOutcome,
  type Metrics,
  type MetricsOptions,
  type SessionEnd,
  type Stage,
} from "./metrics.js";
export { type OperationsOptions, type OperationsServer, serveOperations } from "./serve-operations.js";
export type { TransportFigures } from "./watch-transport.js";
