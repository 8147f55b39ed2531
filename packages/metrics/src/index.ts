export {
  type ClientFrame,
  type ClientMetrics,
  type ClientPathFigures,
  createClientMetrics,
} from "./client-metrics.js";
export type { FrameAgePoint } from "./frame-metrics.js";
export {
  createMetrics,
  type DatagramDirection,
  type FrameOutcome,
  type Metrics,
  type MetricsOptions,
  type SessionEnd,
  type Stage,
} from "./metrics.js";
export { type OperationsOptions, type OperationsServer, serveOperations } from "./serve-operations.js";
export { clientStages, serverStages } from "./stages.js";
export type { StrategyChange, StrategyFigures } from "./strategy-metrics.js";
export type { QueueFigures } from "./watch-queues.js";
export type { ExportCounts, TracingCounts } from "./watch-tracing.js";
export type { TransportFigures } from "./watch-transport.js";
