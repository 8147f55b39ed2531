// Half of the network in this page, half at `sluice serve`; build.mjs bundles it. `?server=` is the address of the metrics.
import { createReconnectingClient } from "@sluice/client";
import { connect, discover } from "@sluice/client/browser";
import { parseModel, splitGraph } from "@sluice/inference/onnx";
import { loadOnnxruntimeWeb } from "@sluice/inference/web";
import { createTensor } from "@sluice/tensor";

const server = new URLSearchParams(location.search).get("server") ?? "http://127.0.0.1:9464";
const cut = "add_3";
const answer = document.querySelector("#answer");
const picture = document.querySelector("canvas").getContext("2d", { willReadFrequently: true });

const model = parseModel(new Uint8Array(await (await fetch("fashion.onnx")).arrayBuffer()));
const firstHalf = await loadOnnxruntimeWeb(
  splitGraph(model, cut, new Map([[cut, { elementType: 1, shape: [null, 64, 14, 14] }]])).head,
  {
    wasmFolder: new URL("runtime/", location.href).href,
    createWorker: () => new Worker("engine-worker.js", { type: "module" }),
  },
);
const client = await createReconnectingClient({
  async connect() {
    const { url, certificateHashes } = await discover(server);
    return connect(url, {
      certificateHashes,
      onTransport: ({ name, lost = [] }) => console.log(`over ${name}`, ...lost),
    });
  },
});
const stream = await client.openStream({
  ...{ model: "fashion", split: cut, deadlineMs: 150, codec: "quantize:levels=32,clip=6,per=tensor" },
  spec: { dtype: "float32", shape: [64, 14, 14], layout: "chw" },
});

let frame = 0;
setInterval(async () => {
  const width = 4 + (frame++ % 20);
  Object.assign(picture, { fillStyle: "#000" }).fillRect(0, 0, 28, 28);
  Object.assign(picture, { fillStyle: "#ddd" }).fillRect(14 - width / 2, 2, width, 24);
  const { data } = picture.getImageData(0, 0, 28, 28);
  const pixels = Float32Array.from({ length: 784 }, (_, i) => data[4 * i]);
  const image = createTensor("float32", [1, 28, 28], pixels, "chw");
  const outcome = await stream.send(async () => (await firstHalf.run([image]))[0]);
  answer.textContent =
    outcome.status === "delivered"
      ? `${outcome.answer.predictions[0].description}, ${outcome.latencyMs.toFixed(0)} ms, ${Math.round(100 * outcome.concealedFraction)} % concealed`
      : outcome.reason;
}, 1_000 / 30);
