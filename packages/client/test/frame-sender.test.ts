/** What a client tells its encoder, and what it hears of it: a core and an encoder that only note what they are told. */
import type { EncodeOptions, TensorEncoder } from "@sluice/codec";
import type { ClientEvent, DeliveryMode, OutgoingFrame } from "@sluice/protocol";
import { createTensor, type Tensor } from "@sluice/tensor";
import t from "tap";
import { createFrameSender, type SendingCore } from "#client/frame-sender.js";
import { createVirtualTime } from "./virtual-time.js";

const tensor: Tensor = createTensor("uint8", [4]);
const payload = Uint8Array.of(1, 2);

function createSender() {
  const asked: (EncodeOptions | undefined)[] = [];
  const acknowledged: number[] = [];
  let split: OutgoingFrame["split"];
  let offered = 4;
  const core: SendingCore = {
    ...{ state: "open", maxPayloadBytes: () => 2 },
    offer: () => ({ admitted: true, frame: ++offered, budgetBytes: 1_000 }),
    submit(_stream, _frame, _slices, splitFrame) {
      split = splitFrame;
      return true;
    },
    abandon: () => {},
    handleClosed: () => {},
  };
  const encoder: TensorEncoder = {
    units: 4,
    encode(_tensor, _most, options) {
      asked.push(options);
      const halves = [0, 1].map((index) => ({ index, count: 2, payload }));
      return {
        slices: halves,
        split: ({ index, count }) =>
          [0, 1].map((j) => ({
            index: 2 * index + j,
            count: 2 * count,
            payload: payload.subarray(j, j + 1),
          })),
      };
    },
    acknowledge: (frame) => acknowledged.push(frame),
  };
  const sender = createFrameSender(core, createVirtualTime(), () => {});

  /** Sends a frame, of which so many slices come, and gives what the encoder was told. */
  async function send(
    slicesReceived: number,
    concealedElements: number,
    splits = 0,
    slicesRecovered = 0,
    mode: DeliveryMode = "datagram",
  ): Promise<number[]> {
    acknowledged.length = 0;
    const outcome = sender.send(
      { alias: 1, mode, encoder, resultFormat: "messagepack", readAnswer: () => undefined },
      tensor,
      0,
    );
    await Promise.resolve();
    for (let index = 0; index < splits; index++) split?.({ index, count: 2, payload }, 1);
    const result = {
      ...{ payload: new Uint8Array(0), slicesReceived, slicesRecovered, concealedElements, elements: 4 },
    };
    sender.deliver({
      ...{ type: "delivered", latencyMs: 10, onTime: true },
      ...{ frame: { stream: 1, frame: offered }, result },
    } as unknown as Extract<ClientEvent, { type: "delivered" }>);
    await outcome;
    return [...acknowledged];
  }
  return { send, asked };
}

t.test("an encoder is told the frame's number and what it may cost", async (t) => {
  const { send, asked } = createSender();
  await send(2, 0);
  await send(2, 0);
  t.strictSame(asked, [
    { frame: 5, budgetBytes: 1_000, mayBorrow: false },
    { frame: 6, budgetBytes: 1_000, mayBorrow: false },
  ]);
});

t.test("only slices that are put together at once may be views of the tensor", async (t) => {
  const { send, asked } = createSender();
  for (const mode of ["stream", "reliable", "datagram"] as const) await send(2, 0, 0, 0, mode);
  t.strictSame(
    asked.map((options) => options?.mayBorrow),
    [true, true, false],
  );
});

t.test("a frame is acknowledged when all slices have come and nothing was concealed", async (t) => {
  const { send } = createSender();
  t.strictSame(await send(2, 0), [5]);
  t.strictSame(await send(1, 0, 0, 1), [6], "one of them recovered");
  t.strictSame(await send(1, 0), [], "a slice without elements of its own is missing");
  t.strictSame(await send(2, 1), [], "a slice came and could not be decoded");
  t.strictSame(await send(0, 4), []);
  t.strictSame(await send(2, 0, 1), [], "one of three: one was split in two");
  t.strictSame(await send(3, 0, 1), [11]);
  t.strictSame(await send(4, 0, 2), [12]);
});
