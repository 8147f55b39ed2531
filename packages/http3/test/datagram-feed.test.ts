import t from "tap";
import { DatagramFeed, type DatagramQueue, type DatagramSource } from "#src/quiche/datagram-feed.js";

class FakeQueue implements DatagramQueue {
  held: Uint8Array[] = [];
  dgramSend = (data: Uint8Array) => {
    if (this.held.length >= 128) return null;
    this.held.push(data);
    return undefined;
  };
  dgramSendQueueLen = () => this.held.length;
  dgramPurgeOutgoing = (isUnwanted: (data: Uint8Array) => boolean) => {
    this.held = this.held.filter((data) => !isUnwanted(data));
  };
}

function sourceOf(...lengths: number[]) {
  const waiting = lengths.map((length) => new Uint8Array(length));
  let told = 0;
  const source: DatagramSource = {
    peek: () => waiting[0],
    shift: () => void waiting.shift(),
    handleNewSize: () => void told++,
  };
  return { source, waiting, told: () => told };
}

t.test("fills the engine's queue and no more", async (t) => {
  const queue = new FakeQueue();
  const feed = new DatagramFeed(queue, 1300);
  const { source, waiting } = sourceOf(...Array.from({ length: 200 }, () => 10));
  feed.add(source);
  feed.fill();
  t.equal(queue.held.length, 128);
  t.equal(waiting.length, 72);
  t.ok(feed.isWaiting);
  queue.held = [];
  feed.fill();
  t.notOk(feed.isWaiting);
  t.equal(feed.dropped, 0);
});

t.test("what has become too large is dropped and counted, in both queues, and stops nothing", async (t) => {
  const queue = new FakeQueue();
  const feed = new DatagramFeed(queue, 1300);
  const first = sourceOf(1300, 100);
  feed.add(first.source);
  feed.fill();
  feed.setMaxBytes(1200);
  t.strictSame(
    queue.held.map(({ byteLength }) => byteLength),
    [100],
  );
  t.equal(first.told(), 1);
  const second = sourceOf(1300, 1200);
  feed.add(second.source);
  feed.fill();
  t.strictSame(
    queue.held.map(({ byteLength }) => byteLength),
    [100, 1200],
  );
  t.equal(feed.dropped, 2);
  feed.setMaxBytes(1200);
  t.equal(first.told(), 1, "no change, no word");
  feed.remove(first.source);
  feed.setMaxBytes(1400);
  t.equal(first.told(), 1);
  t.equal(second.told(), 1);
});

t.test("the engine is asked whether it holds any only after it was given some", async (t) => {
  const queue = new FakeQueue();
  let asked = 0;
  queue.dgramSendQueueLen = () => {
    asked += 1;
    return queue.held.length;
  };
  const feed = new DatagramFeed(queue, 1300);
  feed.fill();
  t.notOk(feed.isHeld);
  t.equal(asked, 0);
  const { source } = sourceOf(10);
  feed.add(source);
  feed.fill();
  t.ok(feed.isHeld);
  t.ok(feed.isHeld);
  queue.held = [];
  t.notOk(feed.isHeld);
  asked = 0;
  t.notOk(feed.isHeld);
  t.equal(asked, 0);
});
