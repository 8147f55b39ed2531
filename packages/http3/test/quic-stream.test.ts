import t from "tap";
import { STREAM_WINDOW_BYTES, type ToWorker } from "#src/quiche/messages.js";
import { QuicReceiveStream, QuicSendStream } from "#src/quiche/quic-stream.js";
import { until } from "./until.js";

type Write = Extract<ToWorker, { type: "write" }>;

/** A stream, and what it posts: buffers that are transferred leave for good, as they do between threads. */
function createSender() {
  const writes: Write[] = [];
  const stream = new QuicSendStream(
    1,
    -1,
    (message, transfers = []) => {
      writes.push(structuredClone(message, { transfer: [...transfers] }) as Write);
    },
    () => {},
  );
  return { stream, writes };
}

t.test("what is given goes along whole; what is written is copied", async (t) => {
  const { stream, writes } = createSender();
  const given = new Uint8Array(400_000).fill(7);
  await stream.give(given);
  t.equal(given.byteLength, 0, "its memory has moved");
  t.strictSame(
    writes.map(({ bytes }) => bytes.byteLength),
    [400_000],
  );
  t.ok(writes[0]?.bytes.every((byte) => byte === 7));
  const written = new Uint8Array(400_000).fill(8);
  await stream.write(written);
  t.ok(written.byteLength === 400_000 && written.every((byte) => byte === 8));
  const part = new Uint8Array(100).fill(9);
  await stream.give(part.subarray(10, 20));
  t.equal(part.byteLength, 100, "a part of something larger is copied");
});

t.test("what is given is held to the window as what is written", async (t) => {
  const { stream, writes } = createSender();
  const posted = () => writes.reduce((sum, { bytes }) => sum + bytes.byteLength, 0);
  await stream.give(new Uint8Array(900_000).fill(1));
  const second = stream.give(new Uint8Array(900_000).fill(2));
  await until(() => posted() === STREAM_WINDOW_BYTES);
  t.equal(posted(), STREAM_WINDOW_BYTES, "no more than the window is under way");
  let isWritten = false;
  second.then(() => {
    isWritten = true;
  });
  await new Promise(setImmediate);
  t.notOk(isWritten);
  stream.handleCredit(STREAM_WINDOW_BYTES);
  await second;
  t.equal(posted(), 1_800_000);
  const bytes = Buffer.concat(writes.map((write) => write.bytes));
  t.ok(
    bytes.every((byte, i) => byte === (i < 900_000 ? 1 : 2)),
    "in order",
  );
});

t.test("what is larger than the window goes in pieces", async (t) => {
  const { stream, writes } = createSender();
  const bytes = new Uint8Array(STREAM_WINDOW_BYTES + 1);
  const given = stream.give(bytes);
  await new Promise(setImmediate);
  t.equal(
    writes.reduce((sum, write) => sum + write.bytes.byteLength, 0),
    STREAM_WINDOW_BYTES,
  );
  stream.handleCredit(STREAM_WINDOW_BYTES);
  await given;
  t.equal(writes.at(-1)?.bytes.byteLength, 1);
});

t.test("a reset in the middle of giving", async (t) => {
  const { stream } = createSender();
  const given = stream.give(new Uint8Array(2 * STREAM_WINDOW_BYTES));
  await new Promise(setImmediate);
  stream.reset(5);
  await t.rejects(given, { kind: "reset", code: 5 });
  await t.rejects(stream.give(new Uint8Array(10)), { kind: "reset", code: 5 });
});

t.test("memory that the reader is through with is given back", async (t) => {
  const stream = new QuicReceiveStream(
    1,
    4,
    () => {},
    () => {},
  );
  stream.handleData(new Uint8Array(50_000), true);
  const bytes = (await stream.read())!;
  t.equal(bytes.byteLength, 50_000);
  stream.release([bytes]);
  t.equal(bytes.byteLength, 0);
});
