export { conceal } from "./conceal.js";
export {
  type Concealer,
  type ConcealmentOptions,
  type ConcealmentReference,
  createConcealer,
} from "./concealer.js";
export {
  type ConcealmentMethod,
  concealmentMethods,
  defaultConcealment,
  needsStatistics,
  parseConcealmentMethod,
  usesReference,
} from "./concealment-method.js";
export { createLastTensor, type LastTensor } from "./last-tensor.js";
