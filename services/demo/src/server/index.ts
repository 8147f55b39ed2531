export type { ShownModel } from "./model-description.js";
export { type DemoPage, type DemoPageOptions, serveDemoPage } from "./serve-demo-page.js";
export { createViewTap, type ViewTap, type ViewTapOptions } from "./view-tap.js";
