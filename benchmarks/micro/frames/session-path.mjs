import { pathToFileURL } from "node:url";
import { createRandom } from "@sluice/simnet";

const DATAGRAM_BYTES = 1_200;
const FRAME_MS = 1000 / 30;
const ONE_WAY_MS = 20;
const ANSWER_BYTES = 16;
/** Until the path has shown what it carries, frames are turned away. */
const WARM_UP_FRAMES = 60;

/**
 * The way of a case's slices from the core of a client to that of a server and of the answers back, in virtual time: datagrams
 * wait for the pacer, 20 ms pass each way, and so many of those with slices are lost.
 * @returns `run()`: sends a frame; `used`: microseconds in each core since the last time it was asked
 */
export async function openSessionPath(root, { wire, sent }, loss) {
  const load = (path) => import(pathToFileURL(`${root}packages/${path}`).href);
  const { createClientSession, createServerSession, defaultLimits } = await load("protocol/dist/index.js");
  const random = createRandom(1);
  const used = { client: 0, server: 0, delivered: 0, offered: 0 };
  const timed = (side, work) => {
    const startMs = performance.now();
    const result = work();
    used[side] += (performance.now() - startMs) * 1000;
    return result;
  };
  let nowMs = 0;
  const client = createClientSession({ agent: "bench" }, nowMs);
  const server = createServerSession(
    { agent: "bench", limits: { ...defaultLimits, maxTensorBytes: 1 << 24 } },
    nowMs,
  );
  client.setMaxDatagramBytes(DATAGRAM_BYTES);
  server.setMaxDatagramBytes(DATAGRAM_BYTES);
  const underWay = [];
  const later = (side, deliver) => underWay.push({ atMs: nowMs + ONE_WAY_MS, side, deliver });

  function drainClient() {
    for (let bytes = client.pollControl(); bytes; bytes = client.pollControl()) {
      const copy = bytes.slice();
      later("server", () => server.handleControl(copy, nowMs));
    }
    for (;;) {
      const datagram = timed("client", () => client.pollDatagram(nowMs));
      if (!datagram) break;
      const copy = datagram.slice();
      if (copy.length > 500 && random.next() < loss) continue;
      later("server", () => server.handleDatagram(copy, nowMs));
    }
    for (let event = client.pollEvent(); event; event = client.pollEvent()) {
      if (event.type === "delivered") used.delivered++;
    }
  }

  function drainServer() {
    for (let bytes = server.pollControl(); bytes; bytes = server.pollControl()) {
      const copy = bytes.slice();
      later("client", () => client.handleControl(copy, nowMs));
    }
    for (;;) {
      const datagram = timed("server", () => server.pollDatagram(nowMs));
      if (!datagram) break;
      const copy = datagram.slice();
      later("client", () => client.handleDatagram(copy, nowMs));
    }
    for (;;) {
      const event = timed("server", () => server.pollEvent());
      if (!event) break;
      if (event.type === "stream-requested") server.acceptStream(event.stream, unitsOf(wire), "zero");
      if (event.type === "frame")
        timed("server", () => server.answer(event.frame, answerTo(event.frame), nowMs));
    }
  }

  function runUntil(endMs) {
    for (;;) {
      drainClient();
      drainServer();
      drainClient();
      const clientMs = timed("client", () => client.nextTimeoutMs());
      const serverMs = timed("server", () => server.nextTimeoutMs());
      const arrivalMs = underWay[0]?.atMs ?? Number.POSITIVE_INFINITY;
      const nextMs = Math.max(nowMs, Math.min(clientMs, serverMs, arrivalMs));
      if (nextMs > endMs) break;
      nowMs = nextMs === nowMs && arrivalMs > nowMs ? nowMs + 0.05 : nextMs;
      while (underWay.length > 0 && underWay[0].atMs <= nowMs) {
        const { side, deliver } = underWay.shift();
        timed(side, deliver);
      }
      if (clientMs <= nowMs) timed("client", () => client.handleTimeout(nowMs));
      if (serverMs <= nowMs) timed("server", () => server.handleTimeout(nowMs));
    }
    nowMs = endMs;
  }

  runUntil(100);
  const stream = client.openStream(wire);
  runUntil(200);
  let frames = 0;
  function run() {
    const dueMs = 200 + frames * FRAME_MS;
    runUntil(dueMs);
    const slices = sent[frames++ % sent.length];
    used.offered++;
    const decision = timed("client", () => client.offer(stream, nowMs, nowMs));
    if (decision.admitted)
      timed("client", () => client.submit(stream, decision.frame, slices, undefined, nowMs));
    runUntil(dueMs + FRAME_MS / 2);
  }
  for (let i = 0; i < WARM_UP_FRAMES; i++) run();
  return {
    run,
    takeUsed() {
      const taken = { ...used };
      Object.assign(used, { client: 0, server: 0, delivered: 0, offered: 0 });
      return taken;
    },
  };
}

const unitsOf = ({ spec }) => spec.shape.reduce((product, size) => product * size, 1);

const answerTo = ({ units, unitsReceived }) => ({
  ...{ outcome: "done", elements: units, concealedElements: units - unitsReceived },
  stages: { decode: 0.1, conceal: 0, queue: 0, inference: 1 },
  payload: new Uint8Array(ANSWER_BYTES),
});
