/** What of a browser's `Worker` is used here, as a structure: this package is built without the DOM's types. */
import type { WebWorkerReply, WebWorkerRequest } from "./web-messages.js";

export interface WebWorker {
  postMessage(message: WebWorkerRequest, transfer: ArrayBuffer[]): void;
  addEventListener(type: "message", listener: (event: { readonly data: WebWorkerReply }) => void): void;
  addEventListener(type: "error", listener: (event: { readonly message?: string }) => void): void;
  terminate(): void;
}
