import { ClientError, createClient } from "@sluice/client";
import { createServerSession, defaultLimits, ErrorCode, type TensorStreamOptions } from "@sluice/protocol";
import { type SinkAnswer, StreamRefusal, serveEach, tensorChecksum } from "@sluice/server";
import { createTensor } from "@sluice/tensor";
import { createMemoryPair, createSessionDriver, createSystemClock } from "@sluice/transport";
import t from "tap";
import { createMemoryServer } from "./memory-server.js";
import { settle } from "./virtual-time.js";

const spec = { dtype: "uint8", shape: [16, 16, 20], layout: "any" } as const;

function countingTensor() {
  return createTensor(
    "uint8",
    spec.shape,
    Uint8Array.from({ length: 5_120 }, (_, i) => i),
    "any",
  );
}

for (const mode of ["datagram", "stream", "reliable"] as const) {
  t.test(`${mode}: a tensor arrives as it was sent`, async (t) => {
    const { connect, server } = createMemoryServer();
    const client = await createClient(connect());
    const stream = await client.openStream({ model: "sink", spec, mode, codec: "raw", deadlineMs: 5_000 });
    const tensor = countingTensor();
    const outcomes = await Promise.all([0, 1, 2].map(() => stream.send(() => tensor)));
    for (const outcome of outcomes) {
      t.match(outcome, { status: "delivered", onTime: true, concealedFraction: 0 });
      if (outcome.status !== "delivered") continue;
      t.same(outcome.answer, { checksum: tensorChecksum(tensor), receivedFraction: 1 } satisfies SinkAnswer);
    }
    await client.idle();
    const { offered, dropped, expired, delivered } = client.figures();
    t.same({ offered, dropped, expired, delivered }, { offered: 3, dropped: 0, expired: 0, delivered: 3 });
    client.close();
    await client.closed;
    await server.close();
    t.equal(server.sessions, 0);
  });
}

t.test("an interleaved tensor arrives as it was sent", async (t) => {
  const { connect, server } = createMemoryServer();
  const client = await createClient(connect());
  const tensor = countingTensor();
  for (const interleave of ["channel-strided", "checkerboard", "pseudo-random:seed=3"]) {
    const stream = await client.openStream({
      ...{ model: "sink", spec, codec: "raw", interleave, deadlineMs: 5_000 },
    });
    t.equal(stream.interleave, interleave);
    t.match(await stream.send(() => tensor), {
      answer: { checksum: tensorChecksum(tensor), receivedFraction: 1 },
    });
  }
  client.close();
  await server.close();
});

/** A server that accepts what a test asks of it unless it has a code for it, and keeps what it was asked. */
function createAskedServer(refuse: (options: TensorStreamOptions) => number | undefined = () => undefined) {
  const pair = createMemoryPair();
  const core = createServerSession({ agent: "test", limits: defaultLimits, capabilities: ["b"] }, 0);
  const asked: TensorStreamOptions[] = [];
  pair.server.onBidirectional((control) => {
    const clock = createSystemClock(globalThis);
    const driver = createSessionDriver({
      ...{ session: pair.server, core, control, clock },
      onProgress() {
        const event = core.pollEvent();
        if (event?.type !== "stream-requested") return event !== undefined;
        asked.push(event.options);
        const code = refuse(event.options);
        if (code === undefined) core.acceptStream(event.stream, 5_120, "zero");
        else core.rejectStream(event.stream, code, "refused");
        return true;
      },
    });
    driver.pump();
  });
  return { asked, session: pair.client };
}

t.test("datagrams of single elements are a checkerboard, unless the server knows none", async (t) => {
  for (const [refused, interleaves] of [
    [undefined, ["checkerboard"]],
    [ErrorCode.unknownInterleaving, ["checkerboard", ""]],
  ] as const) {
    const { asked, session } = createAskedServer(({ interleave }) =>
      interleave === "" ? undefined : refused,
    );
    const client = await createClient(session);
    const stream = await client.openStream({ model: "sink", spec });
    t.strictSame(
      asked.map(({ interleave }) => interleave),
      interleaves,
    );
    t.equal(stream.interleave, interleaves.at(-1));
    for (const options of [
      { mode: "stream" },
      { interleave: "contiguous" },
      { codec: "integers | entropy" },
    ] as const)
      t.equal((await client.openStream({ model: "sink", spec, ...options })).interleave, "", `${options}`);
    client.close();
  }
  const { asked, session } = createAskedServer(() => ErrorCode.unknownInterleaving);
  const client = await createClient(session);
  const code = ErrorCode.unknownInterleaving;
  await t.rejects(client.openStream({ model: "sink", spec, interleave: "checkerboard" }), { code });
  t.equal(asked.length, 1, "what was asked for by name is not replaced");
  client.close();
});

t.test("what a stream asks for reaches the server, and capabilities are agreed on", async (t) => {
  const { asked, session } = createAskedServer();
  const client = await createClient(session, { capabilities: ["a", "b"] });
  t.same(client.capabilities, ["b"]);
  const stream = await client.openStream({
    ...{ model: "sink", spec, urgency: 1, minReceivedPercent: 80, firstFrame: 7, mode: "reliable" },
  });
  const second = await client.openStream({ model: "sink", spec, fec: "rs", interleave: "pseudo-random" });
  t.match(asked, [
    { urgency: 1, minReceivedPercent: 80, firstFrame: 7, mode: "reliable", fec: "" },
    {
      urgency: 3,
      minReceivedPercent: 0,
      firstFrame: 0,
      mode: "datagram",
      fec: "rs:max=15,span=1",
      interleave: "pseudo-random:seed=1",
    },
  ]);
  t.equal(second.fec, "rs:max=15,span=1");
  for (const wrong of [{ fec: "rs", mode: "stream" }, { fec: "rs:max=0" }] as const) {
    await t.rejects(client.openStream({ model: "sink", spec, ...wrong }), {
      ...{ name: "RangeError", message: /^fec/ },
    });
  }
  for (const interleave of ["chequers", "pseudo-random:seed=x"])
    await t.rejects(client.openStream({ model: "sink", spec, interleave }), {
      ...{ name: "TensorError", message: /^interleave/ },
    });
  t.match(stream, { nextFrame: 7, concealment: "zero", interleave: "" });
  const wrong: [string, unknown][] = [
    ...Object.entries({ urgency: 8, minReceivedPercent: 101, firstFrame: -1 }),
    ...Object.entries({ mode: "fast", resultFormat: "xml", resultContent: "all" }),
    ...[0, -1, Number.NaN, 2 ** 31].map((value): [string, unknown] => ["deadlineMs", value]),
  ];
  for (const [field, value] of wrong) {
    await t.rejects(client.openStream({ model: "sink", spec, [field]: value }), {
      ...{ name: "RangeError", message: new RegExp(`^${field}`) },
    });
  }
  client.close();
  await t.rejects(client.openStream({ model: "sink", spec }), { message: "the session is closed" });
});

t.test("a producer learns what its frame may cost", async (t) => {
  const { connect } = createMemoryServer();
  const client = await createClient(connect());
  const large = { dtype: "uint8", shape: [20_000], layout: "any" } as const;
  const stream = await client.openStream({ model: "sink", spec: large, deadlineMs: 60_000 });
  const budgets: number[] = [];
  // How many it takes, and whether the rate lets all of them pass, is for the machine to say.
  for (let i = 0; i < 8; i++) {
    const outcome = await stream.send(({ bytes }) => {
      budgets.push(bytes);
      return createTensor(large.dtype, large.shape);
    });
    t.ok(outcome.status === "delivered" || (i > 0 && outcome.status === "dropped"), outcome.status);
  }
  t.equal(budgets[0], Number.POSITIVE_INFINITY, "nothing is known yet");
  const last = budgets.at(-1)!;
  t.ok(last > 20_000 && last < Number.POSITIVE_INFINITY, `${last} bytes`);
  client.close();
});

t.test("tensors are cut for the datagrams of the moment, smaller or larger", async (t) => {
  const pair = createMemoryServer().connectPair();
  const sizes: number[] = [];
  const sendDatagram = pair.client.sendDatagram.bind(pair.client);
  pair.client.sendDatagram = (data) => {
    const outcome = sendDatagram(data);
    sizes.push(outcome === "sent" ? data.byteLength : -1);
    return outcome;
  };
  const client = await createClient(pair.client);
  const stream = await client.openStream({ model: "sink", spec, codec: "raw", deadlineMs: 5_000 });
  for (const maxBytes of [1200, 400, 9000]) {
    pair.setMaxDatagramBytes(maxBytes);
    sizes.length = 0;
    const outcome = await stream.send(countingTensor());
    t.match(outcome, { status: "delivered", concealedFraction: 0 }, `${maxBytes} B`);
    const largest = Math.max(...sizes);
    t.ok(largest <= maxBytes && largest > Math.min(maxBytes, 5120) / 2, `${largest} of ${maxBytes} B`);
    t.notOk(sizes.includes(-1), "none was refused");
  }
  client.close();
});

t.test("a session without datagrams carries tensors on streams", async (t) => {
  const { connect } = createMemoryServer();
  const client = await createClient(connect(0));
  const stream = await client.openStream({ model: "sink", spec, deadlineMs: 5_000 });
  t.equal(stream.mode, "stream");
  t.match(await stream.send(countingTensor()), { status: "delivered" });
  client.close();
});

t.test(
  "float32 tensors are quantized unless told otherwise, and any spec error is the caller's",
  async (t) => {
    const { connect } = createMemoryServer();
    const client = await createClient(connect());
    const floats = { dtype: "float32", shape: [4, 7, 7], layout: "chw" } as const;
    const stream = await client.openStream({ model: "sink", spec: floats, deadlineMs: 5_000 });
    t.match(stream.codec, /^quantize/);
    await t.rejects(stream.send(countingTensor()), { name: "TensorError" });
    await t.rejects(
      stream.send(() => {
        throw new Error("camera is gone");
      }),
      { message: "camera is gone" },
    );
    await client.idle();
    t.equal(client.figures().expiryReasons.abandoned, 2);
    client.close();
  },
);

t.test("what the server refuses is an error with its code", async (t) => {
  const { connect } = createMemoryServer({
    openServedStream: async ({ model }) => {
      throw new StreamRefusal(ErrorCode.unknownModel, `model: there is no ${model}`);
    },
    authorize: (token) => token.length === 1,
  });
  const client = await createClient(connect(), { token: new Uint8Array(1) });
  const refused = { name: "ClientError", kind: "stream-rejected", code: ErrorCode.unknownModel };
  await t.rejects(client.openStream({ model: "hal", spec }), refused);
  client.close();
  const unauthorized = { kind: "session-closed", code: ErrorCode.unauthorized };
  await t.rejects(createClient(connect()), unauthorized);
  await t.rejects(client.openStream({ model: "hal", spec }), ClientError);
});

t.test("a codec, a method and statistics that the server lacks are named", async (t) => {
  const { connect } = createMemoryServer();
  const client = await createClient(connect());
  await t.rejects(client.openStream({ model: "sink", spec, concealment: "prayer" }), {
    ...{ code: ErrorCode.specMismatch, message: /prayer/ },
  });
  const value = {
    ...{ cut: "add_1", shape: spec.shape, samples: 1, meanElement: new Float32Array(5_120) },
    ...{ channelMean: new Float32Array(1), channelDeviation: new Float32Array(1) },
  };
  await t.rejects(
    client.openStream({ model: "sink", spec, statistics: { value, hash: new Uint8Array(32) } }),
    {
      code: ErrorCode.statisticsMismatch,
    },
  );
  client.close();
});

t.test("a model that fails on a frame fails that frame only", async (t) => {
  let calls = 0;
  const { connect } = createMemoryServer({
    openServedStream: async () =>
      serveEach(async () => {
        if (calls++ === 0) throw new Error("out of memory");
        return { predictions: [] };
      }),
  });
  const client = await createClient(connect());
  const stream = await client.openStream({ model: "any", spec, deadlineMs: 5_000 });
  t.match(await stream.send(countingTensor()), { status: "expired", reason: "failed" });
  t.match(await stream.send(countingTensor()), { status: "delivered", answer: { predictions: [] } });
  client.close();
});

t.test("limits that the server changes reach its clients, and those that come later", async (t) => {
  const { connect, server } = createMemoryServer({ limits: { maxStreams: 1 } });
  const client = await createClient(connect());
  const stream = await client.openStream({ model: "sink", spec, deadlineMs: 5_000 });
  await t.rejects(client.openStream({ model: "sink", spec }), {
    ...{ kind: "stream-rejected", code: ErrorCode.limitExceeded, message: /1 tensor streams are open/ },
  });
  server.setLimits({ maxStreams: 2, maxBytesPerSecond: 1_000 });
  await settle();
  t.match(await stream.send(countingTensor()), { status: "delivered" });
  t.match(client.limits, { maxStreams: 2, maxBytesPerSecond: 1_000 });
  t.match(await stream.send(countingTensor()), { status: "dropped", reason: "server-limit" });
  await client.openStream({ model: "sink", spec });
  const later = await createClient(connect());
  t.match(later.limits, { maxStreams: 2, maxBytesPerSecond: 1_000 });
  client.close();
  later.close();
});

t.test("a drain lets what is in flight end and admits nothing new", async (t) => {
  const { connect, server } = createMemoryServer();
  const client = await createClient(connect());
  const stream = await client.openStream({ model: "sink", spec, deadlineMs: 5_000 });
  const inFlight = stream.send(countingTensor());
  await server.drain(1_000);
  t.match(await inFlight, { status: "delivered" });
  t.match(await client.closed, { code: ErrorCode.shutdown });
  t.match(await stream.send(countingTensor()), { status: "dropped", reason: "not-open" });
});
