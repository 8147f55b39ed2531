export { type ConcealmentOptions, conceal } from "./conceal.js";
export {
  type ConcealmentMethod,
  concealmentMethods,
  needsStatistics,
  parseConcealmentMethod,
} from "./concealment-method.js";
