import { type SendStream, type Session, StreamError } from "@sluice/transport";
import t from "tap";
import { createResultUploads } from "#src/result-uploads.js";

/** A session that opens streams when it is told to, and streams that take bytes when they are told to. */
function createFakeSession() {
  const openings: ((stream: SendStream) => void)[] = [];
  const streams: FakeStream[] = [];
  const session = {
    openUnidirectional: () => new Promise<SendStream>((resolve) => openings.push(resolve)),
  } as unknown as Session;
  return {
    session,
    streams,
    get opening() {
      return openings.length;
    },
    async open() {
      const stream = createFakeStream();
      streams.push(stream);
      openings.shift()!(stream.send);
      await settle();
    },
  };
}

type FakeStream = ReturnType<typeof createFakeStream>;

function createFakeStream() {
  const events: string[] = [];
  let settleWrite: { resolve(): void; reject(error: Error): void } | undefined;
  const send: SendStream = {
    write(data) {
      events.push(`write ${data.length}`);
      return new Promise((resolve, reject) => {
        settleWrite = { resolve, reject };
      });
    },
    async finish() {
      events.push("finish");
    },
    reset(code) {
      events.push(`reset ${code}`);
      settleWrite?.reject(new StreamError("reset", code));
    },
  };
  return {
    send,
    events,
    async take() {
      settleWrite?.resolve();
      await settle();
    },
    async stop() {
      settleWrite?.reject(new StreamError("stopped", 17));
      await settle();
    },
  };
}

const settle = () => new Promise<void>((resolve) => setImmediate(resolve));

function start() {
  const fake = createFakeSession();
  const failed: string[] = [];
  const uploads = createResultUploads(fake.session, {
    onFailed: (stream, frame) => failed.push(`${stream}/${frame}`),
  });
  const push = (frame: number, bytes: number) =>
    uploads.push({ stream: 1, frame, bytes: new Uint8Array(bytes) });
  return { fake, failed, uploads, push };
}

t.test("each result has a stream of its own, ended behind it", async (t) => {
  const { fake, failed, uploads, push } = start();
  push(0, 100);
  push(1, 200);
  t.equal(fake.opening, 1, "they are opened one after the other");
  await fake.open();
  await fake.open();
  for (const stream of fake.streams) await stream.take();
  t.same(
    fake.streams.map(({ events }) => events),
    [
      ["write 100", "finish"],
      ["write 200", "finish"],
    ],
  );
  uploads.end(1, 0, undefined);
  t.same(fake.streams[0]!.events, ["write 100", "finish"], "an acknowledged one needs nothing");
  t.same(failed, []);
});

t.test("one that is late is reset, and one that the client stops is told of", async (t) => {
  const { fake, failed, uploads, push } = start();
  push(0, 100);
  push(1, 200);
  await fake.open();
  await fake.open();
  uploads.end(1, 0, 17);
  await settle();
  t.same(fake.streams[0]!.events, ["write 100", "reset 17"]);
  await fake.streams[1]!.stop();
  t.same(failed, ["1/1"], "only what the client has ended");
});

t.test("while the client allows no streams nothing piles up, and what is late is never sent", async (t) => {
  const { fake, uploads, push } = start();
  for (let frame = 0; frame < 50; frame++) {
    push(frame, 100 + frame);
    if (frame > 0) uploads.end(1, frame - 1, 17);
  }
  t.equal(fake.opening, 1);
  await fake.open();
  await fake.streams[0]!.take();
  t.same(fake.streams[0]!.events, ["write 149", "finish"], "the one that is still of use");
  t.equal(fake.opening, 0);
  // The stream that was opened for one which was given up serves the next.
  push(50, 1);
  uploads.end(1, 50, 17);
  await fake.open();
  t.same(fake.streams[1]!.events, []);
  push(51, 2);
  await settle();
  t.same(fake.streams[1]!.events, ["write 2"]);
  t.equal(fake.opening, 0);
});
