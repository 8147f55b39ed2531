import { ClientError, createClient } from "@sluice/client";
import { ErrorCode } from "@sluice/protocol";
import { type SinkAnswer, StreamRefusal, tensorChecksum } from "@sluice/server";
import { createTensor } from "@sluice/tensor";
import t from "tap";
import { createMemoryServer } from "./memory-server.js";

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
    openServedStream: async () => ({
      async run() {
        if (calls++ === 0) throw new Error("out of memory");
        return { predictions: [] };
      },
    }),
  });
  const client = await createClient(connect());
  const stream = await client.openStream({ model: "any", spec, deadlineMs: 5_000 });
  t.match(await stream.send(countingTensor()), { status: "expired", reason: "failed" });
  t.match(await stream.send(countingTensor()), { status: "delivered", answer: { predictions: [] } });
  client.close();
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
