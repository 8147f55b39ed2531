import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClient } from "@sluice/client";
import { connect, listen } from "@sluice/http3";
import { loadModel, openTestImages } from "@sluice/inference";
import {
  createCapture,
  createServer,
  openCaptureFile,
  replayCapture,
  type ServedStream,
  type ServerObserver,
} from "@sluice/server";
import { createTensor, type Tensor } from "@sluice/tensor";
import t from "tap";
import { loadServedHalf } from "#cli/served-network.js";

const sessions = 4;
const framesEach = 16;
/** As if batches of eight cost hardly more than one frame, so that the scheduler makes them whatever machine this is. */
const costs = [
  { frames: 1, ms: 20 },
  { frames: 8, ms: 22 },
];

async function takeImages(count: number): Promise<Tensor[]> {
  const model = await loadModel("fashion");
  const images: Tensor[] = [];
  for await (const { image } of await openTestImages(model.input, model.preprocess)) {
    images.push(createTensor("uint8", image.shape, Uint8Array.from(image.data), image.layout));
    if (images.length === count) break;
  }
  return images;
}

t.test("frames that ran in batches with other sessions' are replayed alone, bit for bit", async (t) => {
  const directory = await mkdtemp(join(tmpdir(), "sluice-batches-"));
  t.teardown(() => rm(directory, { recursive: true }));
  const half = await loadServedHalf(await loadModel("fashion"), "", {});
  t.teardown(() => half.close());
  const images = await takeImages(framesEach);
  const spec = { dtype: "uint8", shape: images[0]!.shape, layout: images[0]!.layout } as const;
  // All logits: the scores of predictions are rounded, and would hide a last bit.
  const served = half.serve({ model: "fashion", split: "", spec, content: "tensors" });
  const batching: ServedStream = { ...served, network: { ...served.network, costs } } as ServedStream;

  const transport = await listen({ port: 0 });
  const capture = await createCapture({ directory, frames: "all", today: () => 0 });
  const batches: number[] = [];
  const server = createServer({
    ...{ transport, capture, openServedStream: async () => batching },
    observer: observeBatches((frames) => batches.push(frames)),
  });
  const outcomes = await Promise.all(
    Array.from({ length: sessions }, async () => {
      const session = await connect(transport.url, { certificateHash: transport.certificateHash });
      const client = await createClient(session);
      const about = { model: "fashion", codec: "raw", resultContent: "tensors", deadlineMs: 10_000 } as const;
      const stream = await client.openStream({ ...about, spec });
      const ended = await Promise.all(images.map((image) => stream.send(image)));
      client.close();
      return ended;
    }),
  );
  await server.close();
  await capture.close();
  const delivered = outcomes.flat().filter(({ status }) => status === "delivered").length;
  t.ok(delivered > sessions * 4, `${delivered} delivered`);
  t.ok(Math.max(...batches) > 2, `batches of ${batches}`);

  let replayed = 0;
  for (const name of await readdir(directory)) {
    const reader = await openCaptureFile(join(directory, name));
    for await (const frame of replayCapture(reader, { openServedStream: async () => served })) {
      if (frame.captured.outcome !== "done") continue;
      replayed++;
      if (!(frame.isSameTensor && frame.isSameAnswer)) t.fail(`frame ${frame.captured.frame} differs`);
    }
    await reader.close();
  }
  t.ok(replayed >= delivered, `${replayed} replayed`);
});

/** An observer of batches alone. */
function observeBatches(onBatch: (frames: number) => void): ServerObserver {
  return new Proxy({} as ServerObserver, {
    get: (_, name) => (name === "observeBatch" ? onBatch : () => {}),
  });
}
