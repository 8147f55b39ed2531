/** The choice among strategies with the real client and server, over paths that change, on virtual time. */
import {
  type AdaptiveStreamOptions,
  ClientError,
  createAdaptiveStream,
  createClient,
  createReconnectingClient,
  type StrategySwitch,
} from "@sluice/client";
import { ErrorCode } from "@sluice/protocol";
import { createSinkModel, StreamRefusal } from "@sluice/server";
import { createTensor } from "@sluice/tensor";
import type { MemoryPair } from "@sluice/transport";
import t from "tap";
import { type Phase, runFixed, runWorld, type Way } from "./adaptive-world.js";
import { createMemoryServer } from "./memory-server.js";
import { createVirtualTime } from "./virtual-time.js";

t.setTimeout(280_000);

/** A device that is too slow for the whole network at 30 frames per second, and a quick server. */
const ways: readonly Way[] = [
  { name: "client", strategy: "client", clientMs: 45, serverMs: 0, bytes: 0 },
  { name: "fine", strategy: "shared", clientMs: 8, serverMs: 6, bytes: 40_000 },
  { name: "coarse", strategy: "shared", clientMs: 8, serverMs: 6, bytes: 6_000, worth: 0.95 },
  { name: "server", strategy: "server", clientMs: 0, serverMs: 10, bytes: 75_000 },
];
const link = { delayMs: 20, queueMs: 100 };
const mbit = (rate: number) => ({ ...link, rateBitsPerSecond: rate * 1e6 });

t.test("within 20 % of the best fixed choice in each phase, and the session stays", async (t) => {
  const phases: readonly Phase[] = [
    { name: "20 Mbit/s", seconds: 4, path: mbit(20) },
    { name: "2 Mbit/s", seconds: 6, path: mbit(2) },
    { name: "0.3 Mbit/s", seconds: 6, path: mbit(0.3) },
    { name: "50 Mbit/s", seconds: 6, path: mbit(50) },
    { name: "blackout", seconds: 3, path: { ...mbit(50), loss: 1 } },
    { name: "50 Mbit/s again", seconds: 3, path: mbit(50) },
  ];
  const options = { seed: 1, ways, phases };
  const fixed = await runFixed(options);
  const auto = await runWorld(options);
  for (const [i, phase] of phases.entries()) {
    const each = [...fixed].map(([name, run]) => `${name} ${run.phases[i]!.worth.toFixed(1)}`);
    const best = Math.max(...[...fixed.values()].map((run) => run.phases[i]!.worth));
    const { worth } = auto.phases[i]!;
    t.ok(worth >= 0.8 * best, `${phase.name}: ${worth.toFixed(1)}; ${each.join(", ")}`);
  }
  for (const { atMs, from, to, cause, reason } of auto.switches) {
    t.comment(`${(atMs / 1_000).toFixed(2)} s: ${from} -> ${to}: ${cause}: ${reason}`);
  }
  t.equal(auto.sessionEnd, undefined);
  const { offered, dropped, expired, delivered, failed, inFlight, offeredTo } = auto.figures;
  t.equal(offered, 30 * phases.reduce((sum, { seconds }) => sum + seconds, 0));
  t.same({ sum: dropped + expired + delivered, failed, inFlight }, { sum: offered, failed: 0, inFlight: 0 });
  t.equal(
    Object.values(offeredTo).reduce((sum, n) => sum + n, 0),
    offered,
  );
  t.ok(auto.switches.length <= 2 * phases.length, `${auto.switches.length} changes`);
  t.match(
    auto.switches.map(({ cause }) => cause),
    ["start"],
  );
  t.ok(auto.switches.some(({ cause, to }) => cause === "path-lost" && to === "client"));
  t.ok(auto.switches.some(({ cause, from }) => cause === "path-back" && from === "client"));
});

t.test("load on either side moves the work to the other one, the same way each time", async (t) => {
  const path = mbit(20);
  const server: Way = { name: "server", strategy: "server", clientMs: 0, serverMs: 5, bytes: 20_000 };
  const busyServer = {
    ...{ seed: 3, ways: [{ ...ways[0]!, clientMs: 40 }, server] },
    phases: [
      { name: "idle", seconds: 2, path },
      { name: "busy", seconds: 3, path, serverLoad: 30 },
    ],
  };
  const run = await runWorld(busyServer);
  t.match(run.switches, [
    { to: "server", cause: "start" },
    { from: "server", to: "client", cause: "server-load", reason: /work at the server takes/ },
  ]);
  t.equal(run.switches.length, 2);
  const again = await runWorld(busyServer);
  t.same(again.switches, run.switches);
  t.same(again.phases, run.phases);
  const busyClient = await runWorld({
    ...{ seed: 3, ways: [{ ...ways[0]!, clientMs: 20 }, server] },
    phases: [
      { name: "idle", seconds: 2, path },
      { name: "busy", seconds: 3, path, clientLoad: 5 },
    ],
  });
  t.match(busyClient.switches, [
    { to: "client", cause: "start" },
    { from: "client", to: "server", cause: "client-load", reason: /work here takes/ },
  ]);
  t.equal(busyClient.switches.length, 2);
});

t.test("a client that is too slow for every frame works on none that would be late", async (t) => {
  const slow: Way = { name: "client", strategy: "client", clientMs: 100, serverMs: 0, bytes: 0 };
  const run = await runWorld({
    ...{ seed: 5, ways: [slow], phases: [{ name: "all", seconds: 4, path: mbit(20) }] },
  });
  const { delivered, dropped } = run.figures;
  t.equal(run.phases[0]!.onTime, delivered, "each is in time");
  t.ok(delivered >= 36 && delivered <= 41, `${delivered} at ten a second`);
  t.equal(delivered + dropped, 120);
});

const tiny = { dtype: "uint8", shape: [64], layout: "any" } as const;
const terms = { clientMs: 1, encodeMs: 0, bytes: 64, decodeMs: 0, serverMs: 1 };

function candidatesOf(...splits: string[]): AdaptiveStreamOptions<number>["candidates"] {
  return splits.map((split) => ({
    ...{ name: split, strategy: "shared", terms, stream: { model: "m", split, spec: tiny, codec: "raw" } },
    produce: () => createTensor(tiny.dtype, tiny.shape),
  }));
}

function refusingServer(refused: readonly string[]) {
  const sink = createSinkModel();
  return createMemoryServer({
    async openServedStream({ split }) {
      if (refused.includes(split)) throw new StreamRefusal(ErrorCode.unknownSplit, `no ${split}`);
      return sink;
    },
  });
}

t.test("a stream that the server refuses is done without", async (t) => {
  const client = await createClient(refusingServer(["a"]).connect());
  const refused: string[] = [];
  const stream = await createAdaptiveStream(client, {
    ...{ candidates: candidatesOf("a", "b"), deadlineMs: 5_000 },
    onUnavailable: (name, error) => refused.push(`${name}: ${error.message}`),
  });
  t.same(refused, ["a: no a"]);
  t.match(await stream.send(1), { status: "delivered", candidate: "b", bytes: 64 });
  const lost = stream.streams.get("b")!;
  t.equal(
    stream.handleStreamLost(lost, new ClientError("stream-rejected", ErrorCode.unknownSplit, "gone")),
    true,
  );
  t.equal(
    stream.handleStreamLost(lost, new ClientError("stream-rejected", ErrorCode.unknownSplit, "gone")),
    false,
  );
  t.match(await stream.send(2), { status: "dropped", reason: "not-open" });
  stream.close();
  await t.rejects(createAdaptiveStream(client, { candidates: candidatesOf("a"), deadlineMs: 100 }), {
    name: "ClientError",
    message: "no a",
  });
  client.close();
});

t.test("what a candidate throws reaches the caller and is counted", async (t) => {
  const client = await createClient(refusingServer([]).connect());
  const stop = new AbortController();
  const stream = await createAdaptiveStream<number>(client, {
    candidates: [
      {
        ...{ name: "client", strategy: "client", terms: { ...terms, bytes: 0 } },
        run: (frame) => (frame < 2 ? Promise.reject(new Error("no such input")) : Promise.resolve(frame)),
      },
    ],
    ...{ deadlineMs: 1_000, signal: stop.signal },
  });
  await t.rejects(stream.send(1), /no such input/);
  t.match(await stream.send(2), { status: "delivered", answer: 2, onTime: true, candidate: "client" });
  t.match(stream.figures(), { offered: 2, failed: 1, delivered: 1, inFlight: 0 });
  stop.abort();
  client.close();
  await t.rejects(
    createAdaptiveStream(client, {
      candidates: candidatesOf(...Array.from({ length: 17 }, (_, i) => `${i}`)),
      deadlineMs: 1,
    }),
    /candidates: at most 16/,
  );
});

t.test("without a session it goes on here, and over the next one when that is open", async (t) => {
  const time = createVirtualTime();
  const memory = createMemoryServer({ clock: time });
  const pairs: MemoryPair[] = [];
  const opening = createReconnectingClient({
    ...{ clock: time, random: () => 0.5, firstMs: 4_000 },
    async connect() {
      pairs.push(memory.connectPair());
      return pairs.at(-1)!.client;
    },
  });
  await time.advance(100);
  const client = await opening;
  const switches: StrategySwitch[] = [];
  const adapting = createAdaptiveStream<number>(client, {
    candidates: [
      {
        ...{ name: "here", strategy: "client", terms: { ...terms, clientMs: 40, bytes: 0 } },
        run: (frame) => new Promise((resolve) => time.schedule(40, () => resolve(frame))),
      },
      ...candidatesOf("there"),
    ],
    ...{ deadlineMs: 150, clock: time, onSwitch: (change) => switches.push(change) },
  });
  await time.advance(100);
  const stream = await adapting;
  const went: string[] = [];
  for (let i = 0; i < 150; i++) {
    void stream.send(i).then(({ candidate }) => went.push(candidate));
    if (i === 50) pairs[0]!.server.close(ErrorCode.overloaded, "too much");
    await time.advance(33);
  }
  await time.advance(1_000);
  t.match(switches, [
    { to: "there", cause: "start" },
    { from: "there", to: "here", cause: "path-lost" },
    { from: "here", to: "there", cause: "path-back" },
  ]);
  t.equal(switches.length, 3);
  t.equal(client.figures().sessions, 2);
  t.equal(went.length, 150);
  const { offered, dropped, expired, delivered, offeredTo } = stream.figures();
  t.equal(dropped + expired + delivered, offered);
  t.ok(expired <= 2, `${expired}: no more than what was under way`);
  t.ok(offeredTo.here! > 50 && offeredTo.there! > 70, JSON.stringify(offeredTo));
  client.close();
});
