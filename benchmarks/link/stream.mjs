// One cell over the real stack: the client library and the engine `quiche` here, the relay and the server in processes
// of their own, all on loopback.
import { setTimeout as sleep } from "node:timers/promises";
import { createClient } from "../../packages/client/dist/index.js";
import { connect } from "../../packages/http3/dist/index.js";
import { createTensor } from "../../packages/tensor/dist/index.js";
import { deadlineMs, framesPerSecond, link, protections } from "./cells.mjs";
import { startChild } from "./start-child.mjs";

/** Offers frames at their times, however long each takes, and gathers what became of them. */
async function sendFrames(stream, tensor, count) {
  const outcomes = [];
  const startMs = performance.now();
  for (let i = 0; i < count; i++) {
    const waitMs = startMs + (i * 1_000) / framesPerSecond - performance.now();
    if (waitMs > 0) await sleep(waitMs);
    outcomes.push(stream.send(tensor));
  }
  return Promise.all(outcomes);
}

export async function streamReally({ bytes, loss, burst, protection }, { seconds, seed }) {
  const server = await startChild("server", {});
  const { hostname, port } = new URL(server.url);
  const relay = await startChild("relay", {
    target: { host: hostname, port: Number(port) },
    parameters: { ...link, loss, burst },
    seed,
  });
  try {
    const url = `https://127.0.0.1:${relay.port}`;
    const session = await connect(url, { certificateHash: server.certificateHash, engine: "quiche" });
    const client = await createClient(session);
    const spec = { dtype: "uint8", shape: [bytes], layout: "any" };
    const stream = await client.openStream({
      ...{ model: "sink", spec, deadlineMs },
      ...protections[protection],
    });
    await sleep(300);
    const outcomes = await sendFrames(
      stream,
      createTensor(spec.dtype, spec.shape),
      seconds * framesPerSecond,
    );
    const { offered, admitted } = client.figures();
    client.close();
    const frames = outcomes
      .filter(({ status }) => status === "delivered")
      .map(({ latencyMs, onTime, concealedFraction }) => ({
        ...{ latencyMs, onTime, received: 1 - concealedFraction },
      }));
    return { offered, admitted, frames };
  } finally {
    relay.close();
    server.close();
  }
}
