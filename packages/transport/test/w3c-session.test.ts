import {
  createW3cSession,
  createW3cStreamErrors,
  type W3cStats,
  type W3cWebTransport,
  type W3cWriter,
} from "@sluice/transport";
import t from "tap";

/** A transport whose datagrams and end are played by the test. */
function createFake(options: { legacy: boolean }) {
  const written: Uint8Array[] = [];
  const settle: (() => void)[] = [];
  let deliver: (item: { done: boolean; value?: Uint8Array }) => void = () => {};
  let end: (info: { closeCode: number; reason: string }) => void = () => {};
  let fail: (error: Error) => void = () => {};
  const never = new Promise<never>(() => {});
  const writer: W3cWriter = {
    write: (chunk) => {
      written.push(chunk);
      return new Promise<void>((resolve) => settle.push(resolve));
    },
    close: () => Promise.resolve(),
    abort: () => Promise.resolve(),
    closed: never,
  };
  const writable = { getWriter: () => writer };
  const empty = { getReader: () => ({ read: () => never, cancel: () => Promise.resolve() }) };
  const datagrams = {
    readable: {
      getReader: () => ({
        read: () =>
          new Promise<{ done: boolean; value?: Uint8Array }>((resolve) => {
            deliver = resolve;
          }),
        cancel: () => Promise.resolve(),
      }),
    },
    maxDatagramSize: 100,
    ...(options.legacy ? { writable } : { createWritable: () => writable }),
  };
  let stats: W3cStats = {};
  const transport: W3cWebTransport = {
    ready: Promise.resolve(),
    closed: new Promise((resolve, reject) => {
      end = resolve;
      fail = reject;
    }),
    datagrams,
    incomingBidirectionalStreams: empty,
    incomingUnidirectionalStreams: empty,
    createBidirectionalStream: () => Promise.reject(new Error("no")),
    createUnidirectionalStream: () => Promise.reject(new Error("no")),
    close: () => {},
    getStats: () => Promise.resolve(stats),
  };
  return {
    transport,
    datagrams,
    written,
    settle,
    deliver: (value: Uint8Array) => deliver({ done: false, value }),
    end: (closeCode: number, reason: string) => end({ closeCode, reason }),
    fail: (error: Error) => fail(error),
    setStats: (to: W3cStats) => {
      stats = to;
    },
  };
}

async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await Promise.resolve();
}

for (const legacy of [true, false]) {
  t.test(`datagrams by ${legacy ? "the older writable" : "createWritable"}: size and queue`, async (t) => {
    const fake = createFake({ legacy });
    const session = createW3cSession(fake.transport, { maxQueuedDatagrams: 2 });
    const data = new Uint8Array(100).fill(1);
    t.equal(session.sendDatagram(data), "sent");
    data.fill(9);
    t.equal(fake.written[0]?.[0], 1, "the bytes were copied");
    t.equal(session.sendDatagram(new Uint8Array(101)), "too-big");
    const reported: number[] = [];
    session.onMaxDatagramBytes((bytes) => reported.push(bytes));
    fake.datagrams.maxDatagramSize = 50;
    t.equal(session.maxDatagramBytes, 50);
    t.strictSame(reported, [50], "told when somebody looks: the standard has no event");
    t.equal(session.sendDatagram(data), "too-big", "the size is that of now");
    t.equal(session.sendDatagram(new Uint8Array(50)), "sent");
    t.equal(session.sendDatagram(new Uint8Array(50)), "queue-full");
    t.match(session.stats(), { datagramsQueued: 2, datagramsDroppedOutgoing: 1 });
    fake.settle.shift()?.();
    await turns(3);
    t.equal(session.stats().datagramsQueued, 1);
    t.equal(session.sendDatagram(new Uint8Array(50)), "sent");
    fake.datagrams.maxDatagramSize = Number.POSITIVE_INFINITY;
    t.equal(session.maxDatagramBytes, 0, "a size that is not known yet");
    t.equal(session.sendDatagram(new Uint8Array(0)), "too-big");
  });
}

t.test("datagrams wait for their callback, up to a limit, and are counted beyond it", async (t) => {
  const fake = createFake({ legacy: false });
  const session = createW3cSession(fake.transport);
  for (let i = 0; i < 1030; i++) {
    fake.deliver(Uint8Array.of(i & 0xff));
    await turns(5);
  }
  t.equal(session.stats().datagramsDroppedIncoming, 6);
  const batch = await new Promise<readonly Uint8Array[]>((resolve) => session.onDatagrams(resolve));
  t.equal(batch.length, 1024);
});

t.test("ends: by the peer, by us, by the path", async (t) => {
  const byPeer = createFake({ legacy: false });
  const first = createW3cSession(byPeer.transport);
  byPeer.end(7, "bye");
  t.strictSame(await first.closed, { code: 7, reason: "bye", by: "remote" });
  t.equal(first.sendDatagram(new Uint8Array(1)), "closed");

  const byUs = createFake({ legacy: false });
  const second = createW3cSession(byUs.transport);
  second.close(3, "enough");
  t.equal(second.sendDatagram(new Uint8Array(1)), "closed");
  byUs.end(0, "");
  t.strictSame(await second.closed, { code: 3, reason: "enough", by: "local" });
  await t.rejects(second.openUnidirectional(), { name: "StreamError", kind: "closed" });

  const byPath = createFake({ legacy: false });
  const third = createW3cSession(byPath.transport);
  byPath.fail(new Error("lost"));
  t.strictSame(await third.closed, { code: 0, reason: "lost", by: "transport" });
});

t.test("figures come from getStats; what is missing stays unknown", async (t) => {
  const fake = createFake({ legacy: false });
  const session = createW3cSession(fake.transport);
  t.equal(session.stats().rttMs, undefined);
  fake.setStats({
    smoothedRtt: 12,
    packetsLost: 3,
    datagrams: { droppedIncoming: 4, expiredOutgoing: null },
  });
  await turns(5);
  session.stats();
  await turns(5);
  t.match(session.stats(), {
    rttMs: 12,
    packetsLost: 3,
    bytesSent: undefined,
    datagramsDroppedIncoming: 4,
    datagramsDroppedOutgoing: 0,
  });
});

t.test("errors are made as each generation of the standard wants them", async (t) => {
  class Current extends Error {
    readonly streamErrorCode: number | null;
    constructor(message: string, init: { streamErrorCode?: number } = {}) {
      super(message);
      this.streamErrorCode = init.streamErrorCode ?? null;
    }
  }
  class Draft extends Error {
    readonly streamErrorCode: number | null;
    constructor(init: { streamErrorCode?: number }) {
      super();
      if ((init.streamErrorCode ?? 0) > 255) throw new TypeError("an octet is wanted");
      this.streamErrorCode = typeof init === "object" ? (init.streamErrorCode ?? null) : null;
    }
  }
  const current = createW3cStreamErrors({ WebTransportError: Current });
  t.ok(current.create(300) instanceof Current);
  t.equal(current.codeOf(current.create(300)), 300);
  const draft = createW3cStreamErrors({ WebTransportError: Draft });
  t.ok(draft.create(30) instanceof Draft);
  t.equal(draft.codeOf(draft.create(300)), 300, "beyond what it can say");
  const none = createW3cStreamErrors({});
  t.equal(none.codeOf(none.create(5)), 5);
  t.equal(none.codeOf(Object.assign(new Error(), { source: "session", streamErrorCode: 5 })), undefined);
  t.equal(none.codeOf(Object.assign(new Error(), { streamErrorCode: null })), undefined);
  t.equal(none.codeOf(undefined), undefined);
  t.equal(none.codeOf(Object.assign(new Error(), { source: "stream", streamErrorCode: null })), 0);
  t.equal(none.codeOf(Object.assign(new Error(), { name: "NetworkError" })), 0, "as Chromium has it");
});
