// The same losses on the real stack: the client library, QUIC, the seeded relay in a process of its own, and the server
// library with the network's second half.
import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { encodeStatistics } from "@sluice/tensor";
import { createClient } from "../../packages/client/dist/index.js";
import { connect, listen } from "../../packages/http3/dist/index.js";
import { createServer, serveEach } from "../../packages/server/dist/index.js";
import { startChild } from "../link/start-child.mjs";
import { lossProcesses } from "./loss-processes.mjs";
import {
  link,
  lossyLink,
  maxFramesInFlight,
  maxOffers,
  offerAgainMs,
  streamOptionsOf,
  warmUpImages,
} from "./path.mjs";
import { sentSince } from "./sent-since.mjs";
import { undecodable } from "./simulated-form.mjs";

/** A session whose datagrams are at most so large, as on a path with small packets. */
function limitDatagrams(session, mostBytes) {
  const least = (bytes) => Math.min(bytes, mostBytes);
  return new Proxy(session, {
    get(target, name) {
      if (name === "maxDatagramBytes") return least(target.maxDatagramBytes);
      if (name === "onMaxDatagramBytes")
        return (handler) => target.onMaxDatagramBytes((bytes) => handler(least(bytes)));
      const value = target[name];
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

const hashOf = (statistics) =>
  new Uint8Array(
    createHash("sha256")
      .update(JSON.stringify(encodeStatistics(statistics)))
      .digest(),
  );

/** A server with the second half of the network. Its answers are classes. */
async function startServer({ network, statistics }, agreed) {
  const transport = await listen({ port: 0, engine: "quiche" });
  const served = {
    ...serveEach(async (tensor) => ({ class: (await network.tail([tensor]))[0] })),
    ...(statistics ? { statistics: agreed } : {}),
  };
  const limits = { maxFramesInFlight };
  const server = createServer({ transport, openServedStream: async () => served, limits, concurrency: 1 });
  return { transport, close: () => server.close() };
}

/** Offers a frame until the gate lets it through, or does not for too long. */
async function sendFrame(stream, tensor, signal) {
  for (let offers = 1; ; offers++) {
    signal.throwIfAborted();
    const outcome = await stream.send(tensor);
    if (outcome.status !== "dropped" || offers === maxOffers) return outcome;
    await sleep(offerAgainMs);
  }
}

/** Sends every image at its time. @returns what became of each */
async function sendAll(stream, images, { fps }, signal) {
  const outcomes = [];
  const startMs = performance.now();
  for (const { tensor } of images) {
    const waitMs = startMs + (outcomes.length * 1_000) / fps - performance.now();
    if (waitMs > 0) await sleep(waitMs);
    signal.throwIfAborted();
    outcomes.push(sendFrame(stream, tensor, signal));
  }
  return Promise.all(outcomes);
}

async function measureMethod(workload, { codec, run }, method, signal) {
  const { process, rate, condition, options } = run;
  const { network, images, statistics } = workload;
  const agreed = statistics && { value: statistics, hash: hashOf(statistics) };
  const server = await startServer(workload, agreed);
  const { hostname, port } = new URL(server.transport.url);
  const up = lossyLink(lossProcesses[process], rate);
  const relay = await startChild("relay", {
    target: { host: hostname, port: Number(port) },
    ...{ parameters: link, up, seed: options.seed },
  });
  try {
    const url = `https://127.0.0.1:${relay.port}`;
    const session = await connect(url, {
      certificateHash: server.transport.certificateHash,
      engine: "quiche",
    });
    const client = await createClient(limitDatagrams(session, options.datagram));
    const stream = await client.openStream({
      ...{ model: "tail", split: network.cut, spec: network.spec, codec: codec.text, concealment: method },
      ...streamOptionsOf(condition, options),
      // Left out, it would be what suits the codec.
      interleave: condition.interleave || "contiguous",
      ...(agreed ? { statistics: agreed } : {}),
    });
    await sendAll(stream, warmUpImages(images), options, signal);
    const before = client.figures();
    const outcomes = await sendAll(stream, images, options, signal);
    const sent = sentSince(before, client.figures(), images.length);
    client.close();
    const { predictions, figures } = figuresOf(outcomes);
    return { method, predictions, figures: { ...sent, ...figures } };
  } finally {
    relay.close();
    await server.close();
  }
}

function figuresOf(outcomes) {
  const isInTime = ({ status, onTime }) => status === "delivered" && onTime;
  const came = outcomes.filter(isInTime);
  const concealed = came.reduce((sum, { concealedFraction }) => sum + concealedFraction, 0);
  const lost = outcomes.length - came.length;
  const turnedAway = outcomes.filter(({ status }) => status === "dropped").length;
  const slices = came.reduce((sum, { slicesRecovered }) => sum + slicesRecovered, 0);
  return {
    predictions: outcomes.map((outcome) => (isInTime(outcome) ? outcome.answer.class : undecodable)),
    figures: {
      missing: (concealed + lost) / outcomes.length,
      complete: came.filter(({ concealedFraction }) => concealedFraction === 0).length / outcomes.length,
      undecodable: lost / outcomes.length,
      turnedAway: turnedAway / outcomes.length,
      recoveredSlices: slices / outcomes.length,
      // What was sent and what was concealed are in two halves that do not know each other's.
      ...{ meanSquaredError: null, concealMs: null },
    },
  };
}

/**
 * Measures one loss process at one rate under one condition, each method in a session of its own.
 * @param codec of the condition, for its canonical text
 */
export async function streamReally(workload, { codec, methods, run }, signal) {
  const measured = [];
  for (const method of methods) measured.push(await measureMethod(workload, { codec, run }, method, signal));
  return measured;
}
