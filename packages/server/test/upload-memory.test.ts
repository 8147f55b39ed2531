import type { ReceiveStream } from "@sluice/transport";
import t from "tap";
import { createUploadMemory } from "#src/upload-memory.js";

function createStream() {
  const released: Uint8Array[] = [];
  const stream: ReceiveStream = {
    read: async () => undefined,
    release: (read) => {
      released.push(...read);
    },
    stop() {},
  };
  return { stream, released };
}

const sliceOf = (bytes: Uint8Array) => ({ payload: bytes.subarray(1, 3) });

t.test("chunks are given back when their slices are decoded and the stream is over", async (t) => {
  for (const endsFirst of [true, false]) {
    const memory = createUploadMemory();
    const { stream, released } = createStream();
    const upload = memory.open(stream);
    const chunks = [new Uint8Array(8), new Uint8Array(8), new Uint8Array(8)];
    for (const chunk of chunks) upload.add(chunk);
    const slices = [sliceOf(chunks[0]!), sliceOf(chunks[0]!), sliceOf(chunks[2]!)];
    if (endsFirst) upload.end();
    else memory.handleDecoded(slices);
    t.strictSame(released, [], "one of both is not enough");
    if (endsFirst) memory.handleDecoded(slices);
    else upload.end();
    t.strictSame(released, [chunks[0], chunks[2]], "each once; what no slice is in may be anybody's");
  }
});

t.test(
  "datagrams and put-together slices are nobody's chunks, nor those of a stream that goes on",
  async (t) => {
    const memory = createUploadMemory();
    const first = createStream();
    const second = createStream();
    const over = memory.open(first.stream);
    const open = memory.open(second.stream);
    const chunks = [new Uint8Array(8), new Uint8Array(8)];
    over.add(chunks[0]!);
    open.add(chunks[1]!);
    over.end();
    memory.handleDecoded([sliceOf(new Uint8Array(8)), ...chunks.map(sliceOf)]);
    t.strictSame(first.released, [chunks[0]]);
    t.strictSame(second.released, []);
  },
);

t.test("a transport that takes nothing back is not asked to", async () => {
  const memory = createUploadMemory();
  const upload = memory.open({ read: async () => undefined, stop() {} });
  const chunk = new Uint8Array(8);
  upload.add(chunk);
  upload.end();
  memory.handleDecoded([sliceOf(chunk)]);
});
