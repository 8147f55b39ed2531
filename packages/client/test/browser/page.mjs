// Runs in a page: streams to the model `sink` and tells what became of the frames.
import { createReconnectingClient, readOutputs } from "@sluice/client";
import { connect, discover } from "@sluice/client/browser";
import { createTensor } from "@sluice/tensor";

const shape = [16, 8, 8];
const frameBytes = 16 * 8 * 8;

/** Bytes that depend on the frame. */
const frameOf = (number) => Uint8Array.from({ length: frameBytes }, (_, i) => (i * 31 + number * 7) & 0xff);

let client;
let stream;
const events = [];

/** Connects as the server says that it is to be found; options are those of `connect`. */
export async function open(origin, options = {}) {
  client = await createReconnectingClient({
    async connect() {
      const { url, certificateHashes } = await discover(origin);
      return connect(options.url ?? url, {
        certificateHashes,
        ...options,
        onTransport: (transport) => events.push(transport),
      });
    },
    onState: ({ status }) => events.push({ status }),
    ...{ firstMs: 20, maxMs: 200 },
  });
  stream = await client.openStream({
    model: "sink",
    spec: { dtype: "uint8", shape, layout: "chw" },
    deadlineMs: 2_000,
  });
  return { mode: stream.mode };
}

/** Sends frames one after another; resolves to the outcomes, with the checksums of what came back. */
export async function send(count) {
  const outcomes = [];
  for (let i = 0; i < count; i++) {
    const tensor = createTensor("uint8", shape, frameOf(i), "chw");
    const outcome = await stream.send(tensor);
    outcomes.push({ status: outcome.status, answer: outcome.answer, concealed: outcome.concealedFraction });
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return outcomes;
}

/** Sends frames to the model `map`, whose outputs are large; resolves to how many came, and a checksum of each. */
export async function receiveMaps(count, resultFormat) {
  const maps = await client.openStream({
    ...{ model: "map", resultContent: "tensors", resultFormat, deadlineMs: 20_000 },
    spec: { dtype: "uint8", shape, layout: "chw" },
  });
  const outcomes = await Promise.all(
    Array.from({ length: count }, (_, i) => maps.send(createTensor("uint8", shape, frameOf(i), "chw"))),
  );
  maps.close();
  return outcomes.map(({ status, answer }) => {
    if (status !== "delivered") return { status };
    const [{ name, tensor }] = readOutputs(answer);
    const sum = tensor.data.reduce((sum, value, i) => (sum + value * ((i % 1_000) + 1)) % 2_147_483_647, 0);
    return { status, name, dtype: tensor.dtype, shape: tensor.shape, sum };
  });
}

/** Sends until a frame is delivered. */
export async function sendUntilDelivered() {
  for (;;) {
    const [outcome] = await send(1);
    if (outcome.status === "delivered") return true;
  }
}

export const report = () => ({ events, figures: client.figures(), state: client.state.status });

export function failure(origin, options) {
  return connect(origin, options).then(
    () => "opened",
    ({ kind }) => kind,
  );
}
