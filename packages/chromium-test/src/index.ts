export { type Bundle, type BundleOptions, bundle } from "./bundle.js";
export {
  findChromium,
  noChromium,
  type OpenChromiumOptions,
  openChromium,
  type TestBrowser,
} from "./open-chromium.js";
export { type PageFile, type PageServer, servePages } from "./serve-pages.js";
