export {
  type AgreedStatistics,
  type Client,
  type ClientOptions,
  createClient,
  type OpenStreamOptions,
  type TensorStream,
} from "./client.js";
export { ClientError } from "./client-error.js";
export type {
  DeliveredFrame,
  DroppedFrame,
  ExpiredFrame,
  FrameOutcome,
  FrameTimings,
} from "./frame-outcome.js";
