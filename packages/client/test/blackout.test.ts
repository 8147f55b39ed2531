/** A blackout must not lose the session, and a server that is gone must be noticed all the same (spec 2.7, 5.7). */
import {
  type ConnectionState,
  createReconnectingClient,
  type FrameOutcome,
  type ReconnectingClientOptions,
} from "@sluice/client";
import { ErrorCode } from "@sluice/protocol";
import { createTensor } from "@sluice/tensor";
import { ConnectError, type MemoryPair } from "@sluice/transport";
import t from "tap";
import { connectOver, createDarkPath, type DarkPath, darken } from "./dark-path.js";
import { createMemoryServer } from "./memory-server.js";
import { createVirtualTime } from "./virtual-time.js";

const spec = { dtype: "uint8", shape: [2_000], layout: "any" } as const;
const tensor = createTensor("uint8", spec.shape, new Uint8Array(2_000), "any");
const frameMs = 50;

/** A client with one stream, and the paths of its sessions, which may go dark one by one. */
async function begin(options: Partial<ReconnectingClientOptions> = {}) {
  const clock = createVirtualTime();
  const states: ConnectionState[] = [];
  const pairs: MemoryPair[] = [];
  const paths: DarkPath[] = [];
  /** The path of sessions that are not open yet. */
  const way = createDarkPath(clock);
  const run = {
    ...{ clock, states, pairs, paths, way },
    memory: createMemoryServer({ clock }),
    /** What attempts throw, as long as it is set. */
    fault: undefined as Error | undefined,
    setDark(isDark: boolean) {
      for (const path of [way, ...paths]) path.isDark = isDark;
    },
    went: () => states.splice(0).map(({ status }) => status),
    /** Offers frames for so long and returns what became of those that were offered in this time. */
    async stream(ms: number): Promise<FrameOutcome[]> {
      const outcomes: Promise<FrameOutcome>[] = [];
      for (let passed = 0; passed < ms; passed += frameMs) {
        outcomes.push(stream.send(tensor));
        await clock.advance(frameMs);
      }
      await clock.advance(1_000);
      return Promise.all(outcomes);
    },
  };
  const opening = createReconnectingClient({
    ...{ clock, random: () => 0.5, onState: (state) => void states.push(state) },
    connect: () =>
      connectOver(way, clock, () => {
        if (run.fault) throw run.fault;
        const path = createDarkPath(clock);
        const pair = run.memory.connectPair(1_200, (made) => darken(made, path));
        paths.push(path);
        pairs.push(pair);
        return pair.client;
      }),
    ...options,
  });
  await clock.advance(1);
  const client = await opening;
  const streamOpening = client.openStream({ model: "sink", spec, codec: "raw", deadlineMs: 1_000 });
  await clock.advance(100);
  const stream = await streamOpening;
  t.ok((await run.stream(2_000)).every(({ status }) => status === "delivered"));
  run.went();
  return { ...run, client, run };
}

for (const seconds of [3, 8, 15, 25]) {
  t.test(`a blackout of ${seconds} s: the same session goes on within a second`, async (t) => {
    const { client, clock, run } = await begin();
    run.setDark(true);
    const dark = await run.stream(1_000 * seconds - 1_000);
    t.notOk(dark.some(({ status }) => status === "delivered"));
    run.setDark(false);
    await clock.advance(1_000);
    t.ok((await run.stream(1_000)).every(({ status }) => status === "delivered"));
    const { sessions, silences, silencesOutlasted } = client.figures();
    const fell = seconds > 5 ? 1 : 0;
    t.same(
      { sessions, silences, silencesOutlasted },
      { sessions: 1, silences: fell, silencesOutlasted: fell },
    );
    t.same([...new Set(run.went())], fell ? ["silent", "open"] : []);
    t.match(client.state, { status: "open" });
    await clock.advance(10_000);
    t.equal(run.memory.server.sessions, 1, "what was tried beside it is closed");
    client.close();
  });
}

t.test("a session that is dark for good is left for the next that opens, after a grace", async (t) => {
  const { client, clock, run } = await begin();
  // The server is killed, and back at once: nobody knows the old session.
  run.paths[0]!.isDark = true;
  await run.stream(2_800);
  t.same(run.went(), [], "it may still be heard");
  for (let waited = 0; run.states.length === 0 && waited < 2_000; waited += 10) await clock.advance(10);
  t.match(run.states.at(-1), { status: "silent", attempts: 0 });
  await clock.advance(1_000);
  t.same(run.went(), ["silent", "open"]);
  t.match(client.state, { status: "open", isNew: true });
  t.ok((await run.stream(1_000)).every(({ status }) => status === "delivered"));
  const figures = client.figures();
  t.match(figures, { sessions: 2, silences: 1, silencesOutlasted: 0, inFlight: 0 });
  t.equal(figures.offered, figures.dropped + figures.expired + figures.delivered);
  t.match(await run.pairs[0]!.server.closed, { code: ErrorCode.peerSilent });
  client.close();
});

t.test("a session that answers within the grace is kept, and the other closed", async (t) => {
  const { client, clock, run } = await begin();
  run.paths[0]!.isDark = true;
  for (let waited = 0; run.pairs.length < 2 && waited < 7_000; waited += 10) await clock.advance(10);
  t.equal(run.memory.server.sessions, 2);
  await clock.advance(100);
  run.paths[0]!.isDark = false;
  await clock.advance(600);
  t.same(run.went(), ["silent", "open"]);
  t.match(client.state, { status: "open", isNew: false });
  t.match(await run.pairs[1]!.server.closed, { code: ErrorCode.none });
  t.match(client.figures(), { sessions: 1, silencesOutlasted: 1 });
  await clock.advance(20_000);
  t.same(run.went(), [], "no attempt is left behind");
  client.close();
});

t.test("a server that is gone: the state says so, and another one is found once it is there", async (t) => {
  const { client, clock, run } = await begin();
  run.setDark(true);
  run.way.isDark = false;
  run.fault = new ConnectError("refused", "nobody listens");
  await clock.advance(12_000);
  const silent = run.states.filter((state) => state.status === "silent");
  t.ok(silent.length > 3 && silent.length < 12, `${silent.length} attempts`);
  t.match(silent.at(-1), { attempts: silent.length - 1, cause: { reason: "nobody listens" } });
  await clock.advance(20_000);
  t.match(client.state, { status: /waiting|connecting/ });
  t.equal(client.pathEstimate(), undefined, "after 28 s there is none");
  run.fault = undefined;
  await clock.advance(6_000);
  t.match(client.state, { status: "open", isNew: true });
  t.ok((await run.stream(1_000)).every(({ status }) => status === "delivered"));
  t.match(client.figures(), { sessions: 2, silences: 1, silencesOutlasted: 0 });
  client.close();
});

t.test("an attempt that fails for good leaves the silent session as it is", async (t) => {
  for (const wayOut of ["heard", "ended"] as const) {
    const { client, clock, run } = await begin();
    run.setDark(true);
    run.way.isDark = false;
    run.fault = new ConnectError("certificate", "another one");
    await clock.advance(10_000);
    t.match(client.state, { status: "silent", attempts: 1, cause: { reason: "another one", again: false } });
    if (wayOut === "heard") {
      run.setDark(false);
      await clock.advance(1_000);
      t.match(client.state, { status: "open", isNew: false });
    } else {
      await clock.advance(22_000);
      t.match(await client.closed, { reason: "another one" });
    }
    client.close();
  }
});

t.test("an attempt under way is given up when the silent session is heard, at any moment", async (t) => {
  for (let afterMs = 4_600; afterMs < 6_200; afterMs += 130) {
    const { client, clock, run } = await begin();
    run.paths[0]!.isDark = true;
    await clock.advance(afterMs);
    run.paths[0]!.isDark = false;
    await clock.advance(5_000);
    t.match(client.state, { status: "open" }, `after ${afterMs} ms`);
    t.equal(run.memory.server.sessions, 1);
    t.ok((await run.stream(200)).every(({ status }) => status === "delivered"));
    client.close();
    await clock.advance(100);
    t.equal(run.memory.server.sessions, 0);
  }
});

t.test("what ends or is left while it is silent gives way to what was begun beside it", async (t) => {
  for (const end of ["transport", "renew", "close"] as const) {
    for (const moment of ["waiting", "grace"] as const) {
      const { client, clock, run } = await begin();
      run.paths[0]!.isDark = true;
      if (moment === "waiting") run.fault = new ConnectError("timeout", "no answer");
      for (let waited = 0; waited < 7_000; waited += 10) {
        await clock.advance(10);
        if (moment === "grace" ? run.pairs.length > 1 : client.state.status === "silent") break;
      }
      run.fault = undefined;
      if (end === "transport") run.pairs[0]!.client.close(ErrorCode.none, "gone");
      else if (end === "renew") client.renew();
      else client.close();
      await clock.advance(3_000);
      const name = `${end}, ${moment}`;
      t.match(client.state, { status: end === "close" ? "closed" : "open" }, name);
      if (end !== "close")
        t.ok(
          (await run.stream(200)).every(({ status }) => status === "delivered"),
          name,
        );
      t.equal(run.memory.server.sessions, end === "close" ? 0 : 1, name);
      client.close();
    }
  }
});

t.test("one that takes its place and ends in the grace is followed by another", async (t) => {
  const { client, clock, run } = await begin();
  run.paths[0]!.isDark = true;
  for (let waited = 0; run.pairs.length < 2 && waited < 7_000; waited += 10) await clock.advance(10);
  await clock.advance(50);
  run.pairs[1]!.server.close(ErrorCode.overloaded, "too much");
  await clock.advance(2_000);
  t.match(client.state, { status: "open", isNew: true });
  t.equal(run.pairs.length, 3);
  t.ok((await run.stream(200)).every(({ status }) => status === "delivered"));
  client.close();
});
