/** Results that are too large for messages, over a whole client and server in memory (spec 7.4). */
import { type Client, createClient, type FrameOutcome, readOutputs } from "@sluice/client";
import { ErrorCode } from "@sluice/protocol";
import { answerOutputs, checkOutputsFit, type OpenServedStream, type ServerObserver } from "@sluice/server";
import { createTensor, type Tensor, tensorBytes } from "@sluice/tensor";
import t from "tap";
import { createMemoryServer } from "./memory-server.js";

const spec = { dtype: "uint8", shape: [6], layout: "any" } as const;
const input = createTensor("uint8", spec.shape, Uint8Array.of(1, 2, 3, 4, 5, 6));
const common = { model: "m", spec, resultContent: "tensors", deadlineMs: 10_000 } as const;

/** A segmentation map of 21 classes, and one output of each other type. */
const map = createTensor("float32", [21, 96, 96], undefined, "chw");
for (let i = 0; i < map.data.length; i++) map.data[i] = Math.sin(i) * 1e3;
const outputs: readonly Tensor[] = [
  map,
  createTensor(
    "float16",
    [3, 7],
    Uint16Array.from({ length: 21 }, (_, i) => i * 1_000),
  ),
  createTensor("uint8", [5], Uint8Array.of(0, 1, 128, 254, 255)),
  createTensor("int8", [2, 2], Int8Array.of(-128, -1, 0, 127)),
  createTensor("int32", [2], Int32Array.of(-2147483648, 2147483647)),
];
const names = ["map", "half", "bytes", "small", "labels"];

const serveOutputs: OpenServedStream = async ({ maxResultBytes }) => {
  const infos = outputs.map(({ dtype, shape }, i) => ({ name: names[i]!, dtype, shape }));
  checkOutputsFit(infos, maxResultBytes);
  return {
    network: { run: async (frames) => frames.map(() => outputs) },
    answer: (tensors, frame) => answerOutputs(names, tensors as readonly Tensor[], frame),
  };
};

/** Whether a frame has brought all outputs with their names, types, shapes and bits. */
function isWhole(outcome: FrameOutcome): boolean {
  if (outcome.status !== "delivered") throw new Error(JSON.stringify(outcome));
  const answered = readOutputs(outcome.answer);
  return (
    answered.length === outputs.length &&
    answered.every(({ name, tensor }, i) => {
      const { dtype, shape } = outputs[i]!;
      const isLike = name === names[i] && tensor.dtype === dtype && `${tensor.shape}` === `${shape}`;
      return isLike && Buffer.compare(tensorBytes(tensor), tensorBytes(outputs[i]!)) === 0;
    })
  );
}

async function withClient(
  run: (client: Client) => Promise<void>,
  {
    maxDatagramBytes = 1_200,
    ...options
  }: Parameters<typeof createMemoryServer>[0] & { maxDatagramBytes?: number } = {},
): Promise<void> {
  const { connect } = createMemoryServer({ openServedStream: serveOutputs, ...options });
  const client = await createClient(connect(maxDatagramBytes));
  await run(client);
  client.close();
}

for (const resultFormat of ["messagepack", "json"] as const) {
  for (const mode of ["datagram", "stream", "reliable"] as const) {
    t.test(`${resultFormat}, mode ${mode}: large outputs arrive as they were`, (t) =>
      withClient(async (client) => {
        const stream = await client.openStream({ ...common, resultFormat, mode });
        t.ok(isWhole(await stream.send(input)));
        const several = await Promise.all([input, input, input].map((tensor) => stream.send(tensor)));
        for (const outcome of several) t.ok(isWhole(outcome));
      }),
    );
  }
}

t.test("without datagrams they go the same way", (t) =>
  withClient(
    async (client) => {
      const stream = await client.openStream(common);
      t.ok(isWhole(await stream.send(input)));
    },
    { maxDatagramBytes: 0 },
  ),
);

t.test("the server counts them", async (t) => {
  const seen: Record<string, number> = {};
  const count = (name: string, by: number) => {
    seen[name] = (seen[name] ?? 0) + by;
  };
  const observer = new Proxy({} as ServerObserver, {
    get: (_, name) => {
      if (name === "observeResultStreams")
        return (results: number, bytes: number) => {
          count("results", results);
          count("bytes", bytes);
        };
      if (name === "observeSentBytes") return (bytes: number) => count("sent", bytes);
      if (name === "observeFrame") return (outcome: string) => count(outcome, 1);
      return () => {};
    },
  });
  const server = createMemoryServer({ openServedStream: serveOutputs, observer });
  const client = await createClient(server.connect());
  const stream = await client.openStream(common);
  await Promise.all([stream.send(input), stream.send(input)]);
  client.close();
  await client.closed;
  await new Promise((resolve) => setImmediate(resolve));
  const mapBytes = 4 * map.data.length;
  t.match(seen, { results: 2, delivered: 2 });
  t.ok((seen.bytes ?? 0) > 2 * mapBytes && (seen.bytes ?? 0) < 2 * mapBytes + 2_000, `${seen.bytes}`);
  t.ok((seen.sent ?? 0) >= (seen.bytes ?? 0));
});

for (const [name, client, server] of [
  ["the client", { maxResultBytes: 100_000 }, {}],
  ["the server", {}, { limits: { maxResultBytes: 100_000 } }],
  ["a client that takes none so", { maxResultBytes: 0 }, {}],
] as const) {
  t.test(`outputs over the limit of ${name} are refused before the first frame`, (t) =>
    withClient(async (connected) => {
      await t.rejects(connected.openStream({ ...common, ...client }), {
        code: ErrorCode.specMismatch,
        message: new RegExp(`holds ${client.maxResultBytes === 0 ? 65_000 : 100_000} `),
      });
    }, server),
  );
}

t.test("an option that is out of range is refused with its name", (t) =>
  withClient(async (client) => {
    for (const maxResultBytes of [-1, 1.5, 2 ** 27 + 1, Number.NaN])
      await t.rejects(client.openStream({ ...common, maxResultBytes }), /maxResultBytes/);
  }),
);
