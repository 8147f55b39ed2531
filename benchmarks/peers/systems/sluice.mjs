import { createClient } from "@sluice/client";
import { listen, connect as openSession } from "@sluice/http3";
import { createServer } from "@sluice/server";
import { createTensor, tensorBytes } from "@sluice/tensor";

export const about = "this repository: client and server libraries over the engine quiche";

const MODEL = "peers";

/** Answers from the tensor and what is missing of it; the batch that a network runs is the tensor itself. */
function createServedStream(onTensor) {
  return {
    network: { run: async (frames) => frames.map(({ tensor }) => tensor) },
    answer: (tensor, { frameNumber, context: { missing, missingCount } }) =>
      onTensor(
        frameNumber,
        tensorBytes(tensor),
        missingCount === 0 ? {} : { receivedShare: 1 - missingCount / tensor.data.length, missing },
      ),
  };
}

/** `served`: what serves the stream instead of `onTensor`, where a task brings a network of its own. */
export async function serve({ host, onTensor, served, options }) {
  const transport = await listen({ host, port: 0, engine: "quiche", ...options?.server });
  const server = createServer({
    transport,
    openServedStream: async () => served ?? createServedStream(onTensor),
  });
  return {
    address: { url: transport.url, certificateHash: transport.certificateHash },
    close: () => server.close(),
  };
}

export async function connect({ url, certificateHash }, { options, task: { spec, stream: taskOptions } }) {
  const session = await openSession(url, { certificateHash, engine: "quiche", ...options?.transport });
  const client = await createClient(session);
  const stream = await client.openStream({ model: MODEL, spec, ...taskOptions, ...options?.stream });
  return {
    /** The gate may turn a frame away, and what cannot be in time is given up: `dropped` says why. */
    async send(_frame, bytes) {
      const outcome = await stream.send(createTensor(spec.dtype, spec.shape, asElements(spec.dtype, bytes)));
      return outcome.status === "delivered" ? { answer: outcome.answer } : { dropped: outcome.reason };
    },
    close: () => client.close(),
  };
}

const asElements = (dtype, bytes) =>
  dtype === "float32" ? new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4) : bytes;
