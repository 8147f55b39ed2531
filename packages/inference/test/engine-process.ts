/** A process that loads an engine, runs it once and, with `close` as its argument, closes it; then it has nothing to do. */
import { loadOnnxruntime } from "@sluice/inference";
import { createTensor } from "@sluice/tensor";
import { tinyModelBytes } from "./tiny-model.js";

const engine = await loadOnnxruntime(tinyModelBytes());
const [logits] = await engine.run([createTensor("float32", [3, 8, 8])]);
console.log(logits!.data.length);
if (process.argv[2] === "close") await engine.close();
