import {
  type ConnectionState,
  createReconnectingClient,
  type FrameOutcome,
  type ReconnectingClientOptions,
} from "@sluice/client";
import { ErrorCode } from "@sluice/protocol";
import { type ServedStream, type ServerOptions, StreamRefusal, serveEach } from "@sluice/server";
import { createRandom } from "@sluice/simnet";
import { createTensor } from "@sluice/tensor";
import { ConnectError, type MemoryPair } from "@sluice/transport";
import t from "tap";
import { createMemoryServer } from "./memory-server.js";
import { createVirtualTime } from "./virtual-time.js";

const spec = { dtype: "uint8", shape: [2_000], layout: "any" } as const;
const tensor = createTensor("uint8", spec.shape, new Uint8Array(2_000), "any");
const wanted = { model: "sink", spec, codec: "raw", deadlineMs: 1_000 } as const;

/** A server that can be replaced, a client that outlives its sessions, and all of it on virtual time. */
function createHost(serverOptions: Partial<ServerOptions> = {}) {
  const clock = createVirtualTime();
  const host = {
    clock,
    options: serverOptions,
    memory: createMemoryServer({ clock, ...serverOptions }),
    pairs: [] as MemoryPair[],
    states: [] as ConnectionState[],
    /** Thrown by the next attempts. */
    faults: [] as Error[],
    restart() {
      host.memory = createMemoryServer({ clock, ...host.options });
    },
    async connect(options: Partial<ReconnectingClientOptions> = {}) {
      const opening = createReconnectingClient({
        ...{ clock, random: () => 0.5, onState: (state) => void host.states.push(state) },
        async connect() {
          const fault = host.faults.shift();
          if (fault) throw fault;
          const pair = host.memory.connectPair();
          host.pairs.push(pair);
          return pair.client;
        },
        ...options,
      });
      opening.catch(() => {});
      await clock.advance(1);
      return opening;
    },
    /** What the client's connection went through since the last call. */
    went: () => host.states.splice(0).map(({ status }) => status),
    /** Ends the present session. */
    kill: (code: number = ErrorCode.none, reason = "killed") => host.pairs.at(-1)!.server.close(code, reason),
  };
  return host;
}

/** Awaits on virtual time. */
async function after<T>(host: ReturnType<typeof createHost>, promise: Promise<T>, ms = 300): Promise<T> {
  await host.clock.advance(ms);
  return promise;
}

/** A model that takes its time. */
const slow = (clock: ReturnType<typeof createVirtualTime>, ms: number): ServedStream =>
  serveEach(() => new Promise((resolve) => clock.schedule(ms, () => resolve({}))));

t.test("a stream goes on in the next session, with numbers that go on", async (t) => {
  const host = createHost();
  const client = await host.connect();
  t.same(host.went(), ["connecting", "open"]);
  const stream = await after(host, client.openStream(wanted));
  const first = await after(host, Promise.all([stream.send(tensor), stream.send(tensor)]));
  t.match(first, [
    { status: "delivered", frame: 0 },
    { status: "delivered", frame: 1 },
  ]);
  t.equal(stream.nextFrame, 2);

  const inFlight = stream.send(() => {
    host.kill(ErrorCode.overloaded, "too much");
    return tensor;
  });
  await host.clock.advance(1);
  t.match(await inFlight, { status: "expired", reason: "closed" });
  t.same(host.went(), ["waiting"]);
  t.match(client.state, {
    ...{
      status: "waiting",
      delayMs: 50,
      cause: { code: ErrorCode.overloaded, reason: "too much", again: true },
    },
  });
  t.same(await stream.send(tensor), { status: "dropped", reason: "not-open" });
  t.equal(stream.nextFrame, 3, "what was sent and lost keeps its number");

  await host.clock.advance(100);
  t.same(host.went(), ["connecting", "open"]);
  t.match(await after(host, stream.send(tensor)), { status: "delivered", frame: 3 });
  const { offered, dropped, expired, delivered, inFlight: left, sessions, dropReasons } = client.figures();
  t.same(
    { offered, dropped, expired, delivered, left, sessions, dropReasons },
    {
      ...{
        offered: 5,
        dropped: 1,
        expired: 1,
        delivered: 3,
        left: 0,
        sessions: 2,
        dropReasons: { "not-open": 1 },
      },
    },
  );
  client.close();
  t.match(await client.closed, { code: ErrorCode.none });
  t.same(host.went(), ["closed"]);
  t.same(await stream.send(tensor), { status: "dropped", reason: "not-open" });
  await host.clock.advance(10_000);
  t.equal(host.memory.server.sessions, 0);
  t.same(host.went(), [], "closed is closed");
});

t.test("attempts that fail are repeated, ever later", async (t) => {
  const host = createHost();
  const client = await host.connect();
  host.faults.push(...Array.from({ length: 7 }, () => new ConnectError("refused", "nobody listens")));
  host.kill();
  await host.clock.advance(12_000);
  const delays = host.states.flatMap((state) => (state.status === "waiting" ? [state.delayMs] : []));
  t.same(delays, [50, 100, 200, 400, 800, 1_600, 2_500, 2_500]);
  t.equal(client.state.status, "open");
  host.went();
  // It lasted for less than ten seconds: the waits go on where they were.
  host.kill();
  await host.clock.advance(1);
  t.match(client.state, { status: "waiting", delayMs: 2_500 });
  await host.clock.advance(13_000);
  host.kill();
  await host.clock.advance(1);
  t.match(client.state, { status: "waiting", delayMs: 50 });
  client.close();
});

t.test("it gives up where the client itself is at fault", async (t) => {
  for (const code of [ErrorCode.unauthorized, ErrorCode.protocolViolation, ErrorCode.limitExceeded]) {
    const host = createHost();
    const client = await host.connect();
    const stream = await after(host, client.openStream(wanted));
    host.kill(code, "your fault");
    await host.clock.advance(1);
    t.match(await client.closed, { code, reason: "your fault" });
    t.same(host.went(), ["connecting", "open", "closed"]);
    t.same(await stream.send(tensor), { status: "dropped", reason: "not-open" });
    await t.rejects(client.openStream(wanted), { name: "ClientError", kind: "session-closed", code });
  }
  const host = createHost();
  const client = await host.connect();
  host.faults.push(new ConnectError("timeout", "no answer"), new ConnectError("certificate", "another one"));
  host.kill();
  await host.clock.advance(1_000);
  t.match(await client.closed, { code: 0, reason: "another one" });

  const limited = createHost();
  const few = await limited.connect({ maxAttempts: 2 });
  limited.faults.push(...Array.from({ length: 5 }, () => new ConnectError("refused", "gone")));
  limited.kill();
  await limited.clock.advance(60_000);
  t.match(await few.closed, { reason: "gone" });
  t.equal(limited.faults.length, 3);
});

t.test("a first attempt that fails is the caller's to know", async (t) => {
  const host = createHost();
  host.faults.push(new ConnectError("refused", "nobody listens"));
  await t.rejects(host.connect(), { name: "ConnectError", kind: "refused" });
  t.same(host.went(), ["connecting", "closed"]);
  const strict = createHost({ authorize: () => false });
  await t.rejects(strict.connect(), { name: "ClientError", code: ErrorCode.unauthorized });
});

t.test("a drain: frames under way finish in the old session while the next one takes new ones", async (t) => {
  const host = createHost();
  host.options = { openServedStream: async () => slow(host.clock, 400) };
  host.restart();
  const client = await host.connect();
  const stream = await after(host, client.openStream(wanted));
  const old = host.memory.server;
  const underWay = stream.send(tensor);
  await host.clock.advance(20);
  host.restart();
  const drained = old.drain(5_000);
  await host.clock.advance(60);
  t.same(host.went(), ["connecting", "open", "waiting", "connecting", "open"]);
  t.equal(old.sessions, 1, "it is not done yet");
  t.equal(host.memory.server.sessions, 1);
  const next = stream.send(tensor);
  await host.clock.advance(2_000);
  t.match(await underWay, { status: "delivered", frame: 0 });
  t.match(await next, { status: "delivered", frame: 1 });
  await drained;
  t.equal(old.sessions, 0);
  t.match(client.figures(), { offered: 2, delivered: 2, expired: 0, sessions: 2 });
  client.close();
});

t.test("renewed at its own wish: frames under way finish, and the old session ends", async (t) => {
  const host = createHost();
  host.options = { openServedStream: async () => slow(host.clock, 400) };
  host.restart();
  const client = await host.connect();
  const stream = await after(host, client.openStream(wanted));
  const underWay = stream.send(tensor);
  await host.clock.advance(20);
  client.renew("the network has changed");
  t.match(client.state, { status: "waiting", cause: { reason: "the network has changed" } });
  await host.clock.advance(60);
  t.same(host.went(), ["connecting", "open", "waiting", "connecting", "open"]);
  const next = stream.send(tensor);
  await host.clock.advance(2_000);
  t.match(await underWay, { status: "delivered", frame: 0 });
  t.match(await next, { status: "delivered", frame: 1 });
  t.equal(host.memory.server.sessions, 1, "the old one is closed");
  t.match(client.figures(), { offered: 2, delivered: 2, expired: 0, sessions: 2 });
  client.close();
  client.renew();
  t.equal(client.state.status, "closed");
});

t.test("a server that drains takes no new sessions", async (t) => {
  const host = createHost();
  host.options = { openServedStream: async () => slow(host.clock, 3_000) };
  host.restart();
  const client = await host.connect();
  const stream = await after(host, client.openStream({ ...wanted, deadlineMs: 10_000 }));
  const underWay = stream.send(tensor);
  await host.clock.advance(20);
  const drained = host.memory.server.drain(8_000);
  await host.clock.advance(1_000);
  t.equal(host.memory.server.sessions, 1);
  t.match(host.states.filter(({ status }) => status === "waiting").at(-1), {
    cause: { code: ErrorCode.shutdown },
  });
  await host.clock.advance(4_000);
  t.match(await underWay, { status: "delivered" });
  await drained;
  host.restart();
  await host.clock.advance(10_000);
  t.equal(client.state.status, "open");
  client.close();
});

t.test("it can be closed at any moment", async (t) => {
  const waiting = createHost();
  const first = await waiting.connect();
  waiting.kill();
  await waiting.clock.advance(1);
  const opening = first.openStream(wanted);
  first.close(3, "enough");
  await t.rejects(opening, { kind: "session-closed", code: 3, message: "enough" });
  await waiting.clock.advance(60_000);
  t.equal(waiting.pairs.length, 1, "no attempt follows");

  const abort = new AbortController();
  const hanging = createHost();
  let release: () => void = () => {};
  const opened = hanging.connect({
    ...{ signal: abort.signal },
    connect: () =>
      new Promise((resolve) => {
        release = () => resolve(hanging.memory.connect());
      }),
  });
  await hanging.clock.advance(10);
  abort.abort();
  release();
  await t.rejects(opened, { kind: "session-closed", message: "aborted" });
  await hanging.clock.advance(10);
  t.equal(hanging.memory.server.sessions, 0, "the session that opened too late is closed");

  const early = createHost();
  await t.rejects(early.connect({ signal: abort.signal }), { name: "ClientError" });
  t.equal(early.pairs.length, 0);
});

t.test("a stream that the next server refuses is lost, the others go on", async (t) => {
  const host = createHost();
  const lost: [string, number][] = [];
  const client = await host.connect({
    onStreamLost: (stream, error) => void lost.push([stream.codec, error.code]),
  });
  const streams = await after(
    host,
    Promise.all([
      client.openStream(wanted),
      client.openStream({ ...wanted, model: "other", codec: "quantize" }),
    ]),
  );
  host.options = {
    openServedStream: async ({ model }) => {
      if (model === "other") throw new StreamRefusal(ErrorCode.unknownModel, "no such model");
      return serveEach(async () => ({}));
    },
  };
  host.restart();
  host.kill();
  await host.clock.advance(500);
  t.match(lost, [[/^quantize/, ErrorCode.unknownModel]]);
  t.match(await after(host, streams[0]!.send(tensor)), { status: "delivered" });
  t.same(await streams[1]!.send(tensor), { status: "dropped", reason: "not-open" });
  client.close();
});

t.test(
  "a stream that is asked for while there is no session is opened in the next, a refusal is told",
  async (t) => {
    const host = createHost();
    const client = await host.connect();
    host.kill();
    await host.clock.advance(1);
    const opening = client.openStream(wanted);
    const refused = client.openStream({ ...wanted, concealment: "prayer" });
    refused.catch(() => {});
    await t.rejects(client.openStream({ ...wanted, urgency: 9 }), {
      name: "RangeError",
      message: /^urgency/,
    });
    const stream = await after(host, opening);
    await t.rejects(refused, { kind: "stream-rejected", code: ErrorCode.specMismatch });
    t.match(await after(host, stream.send(tensor)), { status: "delivered", frame: 0 });
    stream.close();
    host.kill();
    await host.clock.advance(500);
    t.same(
      await stream.send(tensor),
      { status: "dropped", reason: "not-open" },
      "what was closed stays closed",
    );
    client.close();
  },
);

t.test("whatever happens to its sessions, every frame ends once and no number comes twice", async (t) => {
  for (let seed = 1; seed <= 12; seed++) {
    const random = createRandom(seed);
    const seen = new Set<string>();
    const host = createHost();
    host.options = {
      openServedStream: async ({ split }) =>
        serveEach(() => {
          const ms = random.next() * 40;
          return new Promise((resolve) => host.clock.schedule(ms, () => resolve({ split })));
        }),
    };
    host.restart();
    const client = await host.connect({ random: () => random.next(), stableMs: 500 });
    const streams = await after(
      host,
      Promise.all(["a", "b"].map((split) => client.openStream({ ...wanted, split, codec: "raw" }))),
    );
    const outcomes: Promise<FrameOutcome>[] = [];
    for (let frame = 0; frame < 200; frame++) {
      for (const [i, stream] of streams.entries()) {
        outcomes.push(
          stream.send(tensor).then((outcome) => {
            if (outcome.status !== "delivered") return outcome;
            const key = `${i}/${outcome.frame}`;
            if (seen.has(key)) t.fail(`seed ${seed}: frame ${key} was delivered twice`);
            seen.add(key);
            return outcome;
          }),
        );
      }
      const dice = random.next();
      if (dice < 0.02) host.kill(random.next() < 0.5 ? ErrorCode.none : ErrorCode.overloaded);
      else if (dice < 0.03) host.faults.push(new ConnectError("timeout", "dark"));
      else if (dice < 0.04) {
        void host.memory.server.drain(200);
        host.restart();
      } else if (dice < 0.045) {
        // The server falls silent: nothing tells the client but time.
        host.pairs.at(-1)!.server.sendDatagram = () => "sent";
      }
      await host.clock.advance(33);
    }
    await host.clock.advance(20_000);
    const ended = await Promise.all(outcomes);
    const figures = client.figures();
    const count = (status: FrameOutcome["status"]) =>
      ended.filter((outcome) => outcome.status === status).length;
    t.same(
      { offered: ended.length, ...{ dropped: count("dropped"), expired: count("expired") }, inFlight: 0 },
      {
        ...{ offered: figures.offered, dropped: figures.dropped, expired: figures.expired },
        inFlight: figures.inFlight,
      },
      `seed ${seed}: ${JSON.stringify(figures)}`,
    );
    t.equal(figures.delivered, count("delivered"));
    t.ok(figures.sessions > 2 && figures.delivered > 50, `seed ${seed}: ${figures.sessions} sessions`);
    client.close();
  }
});
