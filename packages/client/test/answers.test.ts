/** What models answer, in both formats, over a whole client and server in memory. */

import { encode } from "@msgpack/msgpack";
import { createClient, readOutputs } from "@sluice/client";
import {
  createServerSession,
  defaultLimits,
  ErrorCode,
  type FrameAnswer,
  type ServerEvent,
} from "@sluice/protocol";
import { answerOutputs, answerPredictions, type ServedStream } from "@sluice/server";
import { createTensor } from "@sluice/tensor";
import { createMemoryPair, createSessionDriver, createSystemClock } from "@sluice/transport";
import t from "tap";
import { createMemoryServer } from "./memory-server.js";

const spec = { dtype: "uint8", shape: [6], layout: "any" } as const;
const input = createTensor("uint8", spec.shape, Uint8Array.of(1, 2, 3, 4, 5, 6));
const outputs = [
  createTensor("float32", [2, 1, 2], Float32Array.of(-0.5, 1e-7, Number.NaN, 3), "chw"),
  createTensor("int8", [5], Int8Array.of(-128, -1, 0, 1, 127)),
];

const network = { run: async (frames: readonly unknown[]) => frames.map(() => outputs) };
const predictions = [
  { name: "3", description: "Dress", score: 0.98 },
  { name: "0", description: "T-shirt/top", score: 0.01 },
];

for (const resultFormat of ["messagepack", "json"] as const) {
  t.test(`${resultFormat}: predictions and tensors arrive as they were`, async (t) => {
    const { connect } = createMemoryServer({
      openServedStream: async ({ content }): Promise<ServedStream<typeof outputs>> => ({
        network,
        model: "m@2",
        answer: (tensors, frame) =>
          content === "tensors"
            ? answerOutputs(["a", "b"], tensors, frame)
            : answerPredictions(predictions, frame),
      }),
    });
    const client = await createClient(connect());
    const common = { model: "m", spec, resultFormat, deadlineMs: 5_000 } as const;
    const classes = await client.openStream(common);
    t.match(classes, { resultFormat, model: "m@2" });
    const first = await classes.send(input);
    t.match(first, { answer: { frameNumber: 0, inferenceTime: Number, predictions } });
    t.match(await classes.send(input), { answer: { frameNumber: 1 } });
    const tensors = await client.openStream({ ...common, resultContent: "tensors" });
    const outcome = await tensors.send(input);
    if (outcome.status !== "delivered") return t.fail(outcome.status);
    t.strictSame(readOutputs(outcome.answer), [
      { name: "a", tensor: outputs[0] },
      { name: "b", tensor: outputs[1] },
    ]);
    client.close();
  });
}

/** A server that accepts a stream and answers its frames as it is told. */
function serveBy(
  accept: Parameters<ReturnType<typeof createServerSession>["acceptStream"]>[3],
  payload: Uint8Array,
) {
  const pair = createMemoryPair();
  const core = createServerSession({ agent: "test", limits: defaultLimits }, 0);
  const clock = createSystemClock(globalThis);
  const stages = { decode: 0, conceal: 0, queue: 0, inference: 0 };
  const answer: FrameAnswer = { outcome: "done", stages, elements: 6, concealedElements: 0, payload };
  pair.server.onBidirectional((control) => {
    const handle = (event: ServerEvent) => {
      if (event.type === "stream-requested") core.acceptStream(event.stream, 6, "zero", accept);
      if (event.type === "frame") core.answer(event.frame, answer, clock.now());
    };
    const driver = createSessionDriver({
      ...{ session: pair.server, core, control, clock },
      onProgress() {
        const event = core.pollEvent();
        if (event) handle(event);
        return event !== undefined;
      },
    });
    driver.pump();
  });
  return createClient(pair.client);
}

t.test("the acceptance says how results are written, whatever was asked for", async (t) => {
  const client = await serveBy({ resultFormat: "messagepack" }, encode({ ok: true }));
  const stream = await client.openStream({ model: "m", spec, resultFormat: "json", deadlineMs: 5_000 });
  t.match(stream, { resultFormat: "messagepack", model: "m" });
  t.match(await stream.send(input), { status: "delivered", answer: { ok: true } });
  client.close();
});

for (const [name, resultFormat, payload] of [
  ["text that is not JSON", "json", new TextEncoder().encode("{ predictions: [] }")],
  ["JSON that is not UTF-8", "json", Uint8Array.of(0x22, 0xff, 0x22)],
  ["a byte that MessagePack never uses", "messagepack", Uint8Array.of(0xc1)],
] as const) {
  t.test(`a payload that is not what was agreed on ends the session: ${name}`, async (t) => {
    const client = await serveBy({ resultFormat }, payload);
    const stream = await client.openStream({ model: "m", spec, deadlineMs: 5_000 });
    void stream.send(input);
    t.match(await client.closed, { code: ErrorCode.protocolViolation, reason: new RegExp(resultFormat) });
  });
}

t.test("outputs may be empty, and of types that no tensor on the wire has", async (t) => {
  const values = BigInt64Array.of(-(2n ** 63n), 2n ** 53n + 1n);
  const data = new Uint8Array(values.buffer);
  const base64 = Buffer.from(data).toString("base64");
  for (const bytes of [data, base64]) {
    const outputs = readOutputs({
      outputs: [
        { name: "ids", dtype: "int64", shape: [2], data: bytes },
        {
          name: "boxes",
          dtype: "float64",
          shape: [0, 4],
          data: typeof bytes === "string" ? "" : new Uint8Array(),
        },
      ],
    });
    t.strictSame(
      outputs.map(({ tensor }) => tensor),
      [
        { dtype: "int64", shape: [2], layout: "any", data: values },
        { dtype: "float64", shape: [0, 4], layout: "any", data: new Float64Array() },
      ],
    );
  }
});

t.test("outputs that are not what they say are refused, with the field's name", async (t) => {
  const good = { name: "a", dtype: "float32", shape: [2], data: new Uint8Array(8) };
  t.equal(readOutputs({ outputs: [good] }).length, 1);
  for (const [answer, field] of [
    [null, /^answer/],
    [{}, /^outputs/],
    [{ outputs: [7] }, /^outputs\[0\]/],
    [{ outputs: [good, { ...good, name: 7 }] }, /^outputs\[1\]\.name/],
    [{ outputs: [{ ...good, dtype: "toString" }] }, /dtype/],
    [{ outputs: [{ ...good, shape: [2, -1] }] }, /shape/],
    [{ outputs: [{ ...good, shape: [0, 1e300] }] }, /shape/],
    [{ outputs: [{ ...good, shape: [2, 0] }] }, /data: must be 0 bytes/],
    [{ outputs: [{ ...good, dtype: "int64" }] }, /data: must be 16 bytes/],
    [{ outputs: [{ ...good, shape: [1, 1, 1, 1, 1, 1, 1, 1, 2] }] }, /shape/],
    [{ outputs: [{ ...good, shape: [2 ** 50, 2 ** 50] }] }, /data/],
    [{ outputs: [{ ...good, data: new Uint8Array(7) }] }, /data/],
    [{ outputs: [{ ...good, data: [1, 2] }] }, /data/],
    [{ outputs: [{ ...good, data: "AAAA" }] }, /data/],
    [{ outputs: [{ ...good, shape: [1e9], data: "AAAAAAAAAAA=" }] }, /data/],
  ] as const) {
    t.throws(() => readOutputs(answer), { message: field });
  }
});
