export type { BrowserHost, W3cWebTransportOptions } from "./browser-host.js";
export {
  type BrowserConnectOptions,
  type BrowserTransport,
  connect,
  lostWithoutDatagrams,
} from "./connect.js";
export { type DiscoveredServer, discover } from "./discover.js";
