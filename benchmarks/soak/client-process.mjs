// The clients of a campaign, in a process of their own: two that reconnect, with three streams of all kinds. Started by
// fork; every frame that they offer is counted once by what became of it.
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { createReconnectingClient } from "../../packages/client/dist/index.js";
import { connect } from "../../packages/http3/dist/index.js";
import { tensorChecksum } from "../../packages/server/dist/index.js";
import { createTensor } from "../../packages/tensor/dist/index.js";
import { openWorkload } from "../server/workloads.mjs";
import { answerCommands } from "./channel.mjs";
import { jumpClock } from "./jump-clock.mjs";
import { look } from "./look.mjs";

const sinkShape = [8, 8, 80];
const connectMs = 10_000;
/** How long what was offered may take to end once the path is whole again. */
const settleMs = 60_000;

let clients = [];
const streams = [];
let isOffering = true;

function makeSinkTensors() {
  return Array.from({ length: 16 }, (_, seed) => {
    const data = Uint8Array.from({ length: 5_120 }, (_, i) => (i * (seed + 3)) & 255);
    return createTensor("uint8", sinkShape, data, "any");
  });
}

async function open({ url, certificateHash, deadlineMs, framesPerSecond }) {
  const { stream: fashion, tensors: images } = await openWorkload("image");
  const sinkTensors = makeSinkTensors();
  const sink = {
    model: "sink",
    spec: { dtype: "uint8", shape: sinkShape, layout: "any" },
    codec: "raw",
    deadlineMs,
  };
  const make = () =>
    createReconnectingClient({
      connect: () => connect(url, { certificateHash, timeoutMs: connectMs }),
      maxMs: 1_000,
    });
  const [first, second] = await Promise.all([make(), make()]);
  clients = [first, second];
  await addStream("images", first, { ...fashion, deadlineMs }, images, framesPerSecond);
  const repaired = { ...sink, fec: "rs:max=30", minReceivedPercent: 50 };
  await addStream("tensors", first, repaired, sinkTensors, framesPerSecond);
  await addStream("tensors on streams", second, { ...sink, mode: "stream" }, sinkTensors, framesPerSecond);
}

async function addStream(name, client, options, tensors, framesPerSecond) {
  const stream = await client.openStream(options);
  const counts = { offered: 0, outcomes: {}, onTime: 0, corrupt: 0, thrown: 0 };
  const entry = { name, counts, pending: 0, waiters: [], done: undefined };
  const isSink = options.model === "sink";
  const count = (key) => {
    counts.outcomes[key] = (counts.outcomes[key] ?? 0) + 1;
  };

  async function offer(tensor) {
    counts.offered++;
    entry.pending++;
    const offeredMs = performance.now();
    try {
      const outcome = await stream.send(tensor);
      const { status } = outcome;
      count(status === "delivered" ? status : `${status}: ${outcome.reason}`);
      if (status === "delivered") checkDelivered(outcome, tensor, offeredMs);
    } catch (error) {
      counts.thrown++;
      console.error(error);
    }
    entry.pending--;
  }

  function checkDelivered({ onTime, answer }, tensor, offeredMs) {
    if (isSink && answer.receivedFraction === 1 && answer.checksum !== tensorChecksum(tensor))
      counts.corrupt++;
    if (!onTime) return;
    counts.onTime++;
    for (const waiter of entry.waiters) if (offeredMs >= waiter.sinceMs) waiter.resolve();
    entry.waiters = entry.waiters.filter(({ sinceMs }) => offeredMs < sinceMs);
  }

  // A camera: a frame at every tick, whatever became of the earlier ones. What a stopped process missed is not made up for.
  entry.done = (async () => {
    for (let i = 0; isOffering; i++) {
      void offer(tensors[i % tensors.length]);
      await sleep(1_000 / framesPerSecond);
    }
  })();
  streams.push(entry);
}

function countFrames() {
  return {
    streams: streams.map(({ name, counts, pending }) => ({ name, pending, ...counts })),
    clients: clients.map((client) => {
      const { offered, dropped, expired, delivered, inFlight, sessions } = client.figures();
      return { offered, dropped, expired, delivered, inFlight, sessions, state: client.state.status };
    }),
  };
}

answerCommands({
  open,
  look,
  jumpClock,
  counts: countFrames,
  /** How long until each stream has a result in time of a frame that was offered after this; `null`: not within the limit. */
  async recover({ limitMs }) {
    const sinceMs = performance.now();
    const times = streams.map(async (entry) => {
      const late = sleep(limitMs, null, { ref: false });
      const result = new Promise((resolve) => {
        entry.waiters.push({ sinceMs, resolve: () => resolve(performance.now() - sinceMs) });
      });
      const ms = await Promise.race([result, late]);
      return ms === null ? null : Math.round(ms);
    });
    return Object.fromEntries((await Promise.all(times)).map((ms, i) => [streams[i].name, ms]));
  },
  /** Goes on in new sessions: what each one holds within its bounds would hide what grows. */
  renew() {
    for (const client of clients) client.renew("for a look at the memory");
  },
  /** Ends the offering, waits for what is under way and closes. */
  async finish() {
    isOffering = false;
    await Promise.all(streams.map(({ done }) => done));
    const endMs = performance.now() + settleMs;
    while (streams.some(({ pending }) => pending > 0) && performance.now() < endMs) await sleep(20);
    for (const client of clients) client.close();
    await Promise.all(clients.map(({ closed }) => closed));
    return countFrames();
  },
});
// A parent that is gone in the middle; at the end it lets go, and nothing holds this process.
process.once("disconnect", () => {
  if (isOffering) process.exit(1);
});
