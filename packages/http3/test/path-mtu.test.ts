import t from "tap";
import { PathMtu } from "#src/path-mtu/path-mtu.js";

const RTT_MS = 40;

/** A path on virtual time that counts like the engine: packets are acknowledged or found lost a round trip later. */
class FakePath {
  nowMs = 0;
  pathBytes = 1472;
  lostBytes = 0;
  inFlightBytes = 0;
  /** Packets to be lost at random, by their number. */
  isLost: (index: number) => boolean = () => false;
  readonly sizes: number[] = [];
  /** Of what was lost, bytes that were neither probes nor lost at random. */
  lostByTheirSize = 0;
  #sent = 0;
  #packets: { index: number; sentMs: number; bytes: number; isLost: boolean }[] = [];
  #largestAcknowledged = -1;

  constructor(readonly mtu: PathMtu) {}

  send(bytes: number): void {
    this.inFlightBytes += bytes;
    const isLost = bytes > this.pathBytes || this.isLost(this.#sent);
    this.#packets.push({ index: this.#sent, sentMs: this.nowMs, bytes, isLost });
    this.#sent += 1;
  }

  /** RFC 9002 6.1: lost is what three packets behind it have arrived, or was sent too long before one that has. */
  #isFoundLost({ index, sentMs }: { index: number; sentMs: number }): boolean {
    const behind = this.#largestAcknowledged - index;
    return behind >= 3 || (behind > 0 && this.nowMs - sentMs >= (9 / 8) * RTT_MS);
  }

  /** Packets in flight that are acknowledged or found lost now. Returns how many probes were among the lost. */
  #settle(): number {
    const { mtu, nowMs } = this;
    for (const { index, isLost, sentMs } of this.#packets) {
      if (isLost || nowMs - sentMs < RTT_MS) continue;
      this.#largestAcknowledged = Math.max(this.#largestAcknowledged, index);
      mtu.handleReceived(nowMs);
    }
    let lostProbes = 0;
    this.#packets = this.#packets.filter((packet) => {
      const { bytes, isLost, sentMs } = packet;
      const isSettled = isLost ? this.#isFoundLost(packet) : nowMs - sentMs >= RTT_MS;
      if (!isSettled) return true;
      this.inFlightBytes -= bytes;
      if (isLost) this.lostBytes += bytes;
      if (isLost && bytes > mtu.packetBytes) lostProbes += 1;
      return false;
    });
    return lostProbes;
  }

  /** One millisecond; `data` packets of the present size leave in it. */
  step(data = 0): void {
    this.nowMs += 1;
    const { mtu, nowMs } = this;
    // What filled a lost probe is sent again, as data.
    const again = this.#settle();
    const { lostBytes, inFlightBytes } = this;
    mtu.update(nowMs, { rttMs: RTT_MS, lostBytes, inFlightBytes });
    const probe = mtu.probeBytes(nowMs);
    if (probe !== undefined) {
      mtu.handleProbeSent(probe, nowMs);
      this.send(probe);
      // What goes with it, and pings: a path without a word could not tell.
      this.send(100);
    }
    for (let i = 0; i < data + again; i++) {
      if (mtu.packetBytes > this.pathBytes) this.lostByTheirSize += mtu.packetBytes;
      this.send(mtu.packetBytes);
      mtu.handleSent(mtu.packetBytes, nowMs);
    }
    if (nowMs % 50 === 0) {
      this.send(60);
      mtu.handleSent(60, nowMs);
    }
    if (this.sizes.at(-1) !== mtu.packetBytes) this.sizes.push(mtu.packetBytes);
  }

  run(ms: number, data: (nowMs: number) => number = () => 0): void {
    for (let i = 0; i < ms; i++) this.step(data(this.nowMs));
  }
}

/** Frames of 20 packets, 30 a second: the path is never empty. */
const frames = (nowMs: number) => (nowMs % 33 === 0 ? 20 : 0);

function open(limitBytes = 1472): FakePath {
  return new FakePath(new PathMtu(limitBytes));
}

t.test("a quiet connection is at 1,472 bytes after three round trips", async (t) => {
  const path = open();
  path.run(3 * RTT_MS);
  t.strictSame(path.sizes, [1200, 1350, 1472]);
});

t.test("a busy one finds them as well: nothing has to pause", async (t) => {
  const path = open();
  path.run(1000, frames);
  t.equal(path.mtu.packetBytes, 1472);
  t.equal(path.lostBytes, 0);
});

for (const isQuiet of [false, true]) {
  t.test(`a path of 1,280 bytes works from the start, ${isQuiet ? "quiet" : "busy"}`, async (t) => {
    const path = open();
    path.pathBytes = 1252;
    path.run(2000, isQuiet ? undefined : frames);
    t.ok(path.mtu.packetBytes > 1236 && path.mtu.packetBytes <= 1252, `${path.mtu.packetBytes}`);
    t.ok(path.lostBytes > 0, "probes were");
    t.equal(path.lostByTheirSize, 0, "data was not");
    path.run(20_000, isQuiet ? undefined : frames);
    t.strictSame([...new Set(path.sizes)], path.sizes, `it only grew: ${path.sizes}`);
  });
}

t.test("3 % of random loss neither hides a size nor looks like a black hole", async (t) => {
  const path = open();
  path.isLost = (index) => (index * 2_654_435_761) % 100 < 3;
  path.run(60_000, frames);
  t.equal(path.mtu.packetBytes, 1472);
  t.strictSame([...new Set(path.sizes)], path.sizes, `it only grew: ${path.sizes}`);
});

t.test("a path that shrinks is noticed within 400 ms, and one that grows again within 5 s", async (t) => {
  const path = open();
  path.run(500, frames);
  t.equal(path.mtu.packetBytes, 1472);
  path.pathBytes = 1280;
  path.run(400, frames);
  t.ok(path.mtu.packetBytes <= 1280, `${path.mtu.packetBytes}`);
  path.run(1500, frames);
  t.ok(path.mtu.packetBytes > 1263 && path.mtu.packetBytes <= 1280, `${path.mtu.packetBytes}`);
  path.pathBytes = 1472;
  path.run(5000, frames);
  t.equal(path.mtu.packetBytes, 1472);
});

t.test("on a dead path it stops asking, and goes on when somebody answers", async (t) => {
  const path = open();
  path.pathBytes = 0;
  path.run(10_000);
  t.equal(path.mtu.packetBytes, 1200);
  t.equal(path.mtu.probeBytes(path.nowMs), undefined, "deaf");
  t.equal(path.mtu.deadlineMs(path.nowMs), Number.POSITIVE_INFINITY);
  path.pathBytes = 1472;
  path.run(500);
  t.equal(path.mtu.packetBytes, 1472);
});

t.test("a new port keeps the size, a new address does not", async (t) => {
  const path = open();
  path.run(500);
  path.mtu.handleNewPath(false);
  t.equal(path.mtu.packetBytes, 1472);
  path.mtu.handleNewPath(true);
  t.equal(path.mtu.packetBytes, 1200);
});

t.test("a probe that cannot be sent is put off, not counted as lost", async (t) => {
  const mtu = new PathMtu(1472);
  t.equal(mtu.probeBytes(0), 1350);
  mtu.postponeProbe(0);
  t.equal(mtu.probeBytes(99), undefined);
  t.equal(mtu.deadlineMs(0), 100);
  t.equal(mtu.probeBytes(100), 1350);
});

t.test("what is in flight counts only where it was learnt after the probe left", async (t) => {
  const mtu = new PathMtu(1472);
  mtu.handleReceived(0);
  mtu.handleProbeSent(1350, 0);
  mtu.update(1, { rttMs: RTT_MS, lostBytes: 0, inFlightBytes: 0 });
  t.equal(mtu.packetBytes, 1200, "a figure from before");
  mtu.handleReceived(2);
  mtu.update(2, { rttMs: RTT_MS, lostBytes: 0, inFlightBytes: undefined });
  t.equal(mtu.packetBytes, 1200, "not known");
  mtu.handleReceived(3);
  mtu.update(3, { rttMs: RTT_MS, lostBytes: 0, inFlightBytes: 1350 });
  t.equal(mtu.packetBytes, 1200, "still on its way");
  mtu.handleReceived(4);
  mtu.update(4, { rttMs: RTT_MS, lostBytes: 0, inFlightBytes: 80 });
  t.equal(mtu.packetBytes, 1350);
});
