// Tensors whose way is measured: bytes without a layout, as the comparison with peers sends them, and those of real cuts.
import { readStatistics } from "@sluice/inference";
import { createPayload } from "../transport/halves/payload.mjs";

const BYTES = 100_352;
const TENSORS = 8;

const bytesCase = {
  name: "100,352 B",
  spec: { dtype: "uint8", shape: [BYTES], layout: "any" },
  codec: "raw",
  tensors: Array.from({ length: TENSORS }, (_, i) => createPayload(BYTES, 2 * i + 1)),
};

async function cutCase(name, options) {
  // Loaded when it is needed: it brings the engines.
  const { openWorkload } = await import("../../rate-accuracy/workload.mjs");
  const workload = await openWorkload({ seed: 1, limit: TENSORS, ...options }, new AbortController().signal, {
    keepsTensors: true,
  });
  try {
    const { network, images, model } = workload;
    const statistics = options.preset === undefined ? await readStatistics(model, network.cut) : undefined;
    return { name, spec: network.spec, tensors: images.map(({ tensor }) => tensor.data.slice()), statistics };
  } finally {
    await workload.close();
  }
}

/** @param data the folder with the published networks; undefined: without theirs */
export async function openCases(data) {
  const cases = [bytesCase, await cutCase("fashion add_3", {})];
  if (data !== undefined) cases.push(await cutCase("mobilenet add_3", { preset: "mobilenet", data }));
  return cases;
}
