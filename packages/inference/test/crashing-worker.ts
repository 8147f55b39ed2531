/** A worker of an engine that crashes at the first run: it stands for a fault in native code. */
import { parentPort } from "node:worker_threads";

const info = { type: "float32", shape: ["N", 2] };
parentPort?.postMessage({
  kind: "ready",
  inputs: [{ name: "in", ...info }],
  outputs: [{ name: "out", ...info }],
});
parentPort?.on("message", () => {
  throw new Error("out of luck");
});
