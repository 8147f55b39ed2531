export { conceal } from "./conceal.js";
export { type ConcealmentOptions, createConcealer } from "./concealer.js";
export type { Concealer, ConcealmentReference } from "./concealer-api.js";
export {
  type ConcealmentMethod,
  concealmentMethods,
  defaultConcealment,
  needsStatistics,
  parseConcealmentMethod,
  usesReference,
} from "./concealment-method.js";
export { createLastTensor, type LastTensor } from "./last-tensor.js";
