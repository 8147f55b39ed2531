export { createTracing, type Tracing, type TracingFigures, type TracingOptions } from "./create-tracing.js";
export type { ExportFigures } from "./export-queue.js";
export { formatWaterfall, type WaterfallOptions } from "./format-waterfall.js";
export type { FrameAttributes, FrameTrace, Stage, TraceSide, TraceSpan } from "./frame-trace.js";
export { type JoinedTrace, joinTraces } from "./join-traces.js";
export {
  blameStage,
  type StageSummary,
  summarizeTraces,
  type TraceSummary,
  usualTimes,
} from "./summarize-traces.js";
export { readTraceFile, type TraceFile, TraceFileError } from "./trace-lines.js";
export { defaultTraceSample } from "./trace-sample.js";
