export {
  type FrameContext,
  type OpenServedStream,
  type ServedStream,
  StreamRefusal,
  type StreamRequest,
} from "./served-model.js";
export { createServer, type Server, type ServerOptions } from "./server.js";
export type { ServerLog, ServerObserver } from "./server-observer.js";
export { createSinkModel, type SinkAnswer, tensorChecksum } from "./sink-model.js";
