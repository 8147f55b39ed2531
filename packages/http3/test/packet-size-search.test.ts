import t from "tap";
import { PacketSizeSearch } from "#src/path-mtu/packet-size-search.js";

/** Lets a search run over a path that carries `pathBytes`, 40 ms a probe; returns all sizes that were tried. */
function run(search: PacketSizeSearch, pathBytes: number, fromMs = 0): { tried: number[]; nowMs: number } {
  const tried: number[] = [];
  let nowMs = fromMs;
  for (let bytes = search.probeBytes(nowMs); bytes !== undefined; bytes = search.probeBytes(nowMs)) {
    tried.push(bytes);
    nowMs += 40;
    if (bytes <= pathBytes) search.handleArrived(bytes, nowMs);
    else search.handleLost(bytes, nowMs);
    if (tried.length > 200) throw new Error("the search does not end");
  }
  return { tried, nowMs };
}

t.test("begins with 1,200 bytes and measures Ethernet with two probes", async (t) => {
  const search = new PacketSizeSearch(1472);
  t.equal(search.packetBytes, 1200);
  t.strictSame(run(search, 1472).tried, [1350, 1472]);
  t.equal(search.packetBytes, 1472);
  t.equal(search.raiseAtMs, Number.POSITIVE_INFINITY, "there is nothing above the limit");
});

for (const [name, mtu, headers] of [
  ["IPv6's least MTU", 1280, 48],
  ["the same under IPv4", 1280, 28],
  ["a WireGuard tunnel", 1420, 48],
  ["PPPoE", 1492, 28],
  ["an odd one", 1317, 28],
] as const) {
  t.test(`comes within 16 bytes of ${name} (${mtu}), and never above it`, async (t) => {
    const search = new PacketSizeSearch(1472);
    const { tried } = run(search, mtu - headers);
    t.ok(search.packetBytes <= mtu - headers, `${search.packetBytes} of ${mtu - headers}`);
    t.ok(search.packetBytes > mtu - headers - 17, `${search.packetBytes} of ${mtu - headers}`);
    t.ok(tried.length < 26, `${tried.length} probes`);
  });
}

t.test("every size up to 1,472 is found, and larger ones at their levels", async (t) => {
  for (let pathBytes = 1200; pathBytes <= 1472; pathBytes++) {
    const search = new PacketSizeSearch(1472);
    run(search, pathBytes);
    if (search.packetBytes > pathBytes || search.packetBytes < pathBytes - 16) {
      t.fail(`${search.packetBytes} on a path of ${pathBytes}`);
    }
  }
  for (const [pathBytes, found] of [
    [16_000, 15_872],
    [15_000, 8952],
    [4000, 1472],
  ] as const) {
    const search = new PacketSizeSearch(15_872);
    run(search, pathBytes);
    t.equal(search.packetBytes, found, `a path of ${pathBytes}`);
  }
});

t.test("the limit is never passed, also where the application sets it below 1,350", async (t) => {
  for (const limit of [1200, 1201, 1250, 1349, 1400, 8300, 16_384]) {
    const search = new PacketSizeSearch(limit);
    const { tried } = run(search, 65_000);
    t.equal(Math.max(1200, ...tried), limit);
    t.equal(search.packetBytes, limit);
  }
});

t.test("one or two lost probes of a size do not make it too large", async (t) => {
  const search = new PacketSizeSearch(1472);
  search.handleLost(1350, 40);
  search.handleLost(1350, 80);
  t.equal(search.probeBytes(80), 1350);
  search.handleArrived(1350, 120);
  search.handleLost(1472, 160);
  search.handleLost(1472, 200);
  t.equal(search.probeBytes(200), 1472, "what was lost before counts no more");
  search.handleLost(1472, 240);
  t.equal(search.probeBytes(240), 1452, "three in a row do");
});

t.test(
  "asks again after 2 s, then twice as long, at most 600 s, and finds a path that has grown",
  async (t) => {
    const search = new PacketSizeSearch(1472);
    let { nowMs } = run(search, 1300);
    const first = search.packetBytes;
    t.equal(search.raiseAtMs, nowMs + 2000);
    t.equal(search.probeBytes(nowMs + 1999), undefined);
    const pauses: number[] = [];
    for (let i = 0; i < 12; i++) {
      nowMs = run(search, 1300, search.raiseAtMs).nowMs;
      pauses.push(search.raiseAtMs - nowMs);
    }
    t.strictSame(pauses.slice(0, 3), [4000, 8000, 16_000]);
    t.equal(pauses.at(-1), 600_000);
    t.equal(search.packetBytes, first);
    run(search, 1472, search.raiseAtMs);
    t.equal(search.packetBytes, 1472);
  },
);

t.test("after a black hole it is back at 1,200 and searches at once", async (t) => {
  const search = new PacketSizeSearch(1472);
  const { nowMs } = run(search, 1472);
  search.handleBlackHole();
  t.equal(search.packetBytes, 1200);
  run(search, 1252, nowMs);
  t.ok(search.packetBytes > 1236 && search.packetBytes <= 1252, `${search.packetBytes}`);
});

t.test("a limit that grows is used at once", async (t) => {
  const search = new PacketSizeSearch(1472);
  const { nowMs } = run(search, 65_000);
  search.setLimit(15_872);
  t.strictSame(run(search, 65_000, nowMs).tried, [15_872]);
});
