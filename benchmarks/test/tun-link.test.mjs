import { spawnSync } from "node:child_process";
import t from "tap";
import { buildTunLink, whyNoTunLink } from "../peers/tun-link/build.mjs";
import { openTunPath, removeStaleNamespaces } from "../peers/tun-link/open-tun-path.mjs";
import { createGilbertLoss } from "./gilbert-loss.mjs";

const skip = whyNoTunLink() ?? false;
const wide = { rateBitsPerSecond: 1e9, delayMs: 20, queueMs: 1_000 };

/** Sends datagrams from the end of the client, one after another. */
function sendDatagrams({ prefixes, serverHost }, { count, bytes }) {
  const script = `
    import dgram from "node:dgram";
    const [host, count, bytes] = process.argv.slice(1);
    // Not connected: nobody listens there, and a connected socket would stop at what ICMP says of it.
    const socket = dgram.createSocket("udp4");
    let left = Number(count);
    const payload = Buffer.alloc(Number(bytes));
    const next = () => (left-- > 0 ? socket.send(payload, 9, host, next) : socket.close());
    next();`;
  const [command, ...rest] = [...prefixes.client, process.execPath, "--input-type=module", "-e", script];
  const { status, stderr } = spawnSync(command, [...rest, serverHost, count, bytes], {
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(stderr);
}

/** The counters when everything that was sent, `count` packets, has gone through. */
async function settledCounters(path, count) {
  for (;;) {
    const counters = await path.readCounters();
    const { offered, delivered, droppedLoss, droppedQueue } = counters.up;
    if (offered >= count && offered === delivered + droppedLoss + droppedQueue) return counters;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

t.test("the TUN link", { skip }, async (t) => {
  removeStaleNamespaces();
  const path = await openTunPath(buildTunLink());
  t.teardown(() => path.close());
  const count = 3_000;

  await t.test("loses what its seed says, packet by packet", async (t) => {
    for (const [loss, burst] of [
      [0, 1],
      [0.05, 1],
      [0.05, 4],
    ]) {
      await path.set({ ...wide, loss, burst, seed: 7 });
      sendDatagrams(path, { count, bytes: 100 });
      const { up } = await settledCounters(path, count);
      const isLost = createGilbertLoss({ loss, burst, seed: 7n * 2n });
      const expected = Array.from({ length: count }, isLost).filter(Boolean).length;
      t.same(
        { offered: up.offered, droppedLoss: up.droppedLoss, bytes: up.offeredBytes },
        { offered: count, droppedLoss: expected, bytes: count * (100 + 28) },
        `${loss} in bursts of ${burst}`,
      );
    }
  });

  await t.test("drops what its queue does not hold, and no more than that", async (t) => {
    // 100 ms of 1 Mbit/s are 12,500 bytes: eight packets of 1,428 wait, one is under way.
    await path.set({ rateBitsPerSecond: 1e6, delayMs: 0, queueMs: 100 });
    const at = process.hrtime.bigint();
    sendDatagrams(path, { count: 100, bytes: 1_400 });
    const { up } = await settledCounters(path, 100);
    const seconds = Number(process.hrtime.bigint() - at) / 1e9;
    t.ok(up.delivered >= 9, `${up.delivered} delivered`);
    const most = 10 + (seconds * 1e6) / 8 / 1_428;
    t.ok(up.delivered <= most, `${up.delivered} delivered, at most ${most} in ${seconds} s`);
    t.equal(up.delivered + up.droppedQueue, 100);
    t.equal(up.droppedLoss, 0);
  });

  await t.test("chooses the congestion control of TCP by the route", async (t) => {
    for (const name of ["cubic", "bbr"]) {
      path.setCongestionControl(name);
      for (const end of ["client", "server"]) {
        const [command, ...rest] = [...path.prefixes[end], "ip", "route"];
        t.match(spawnSync(command, rest, { encoding: "utf8" }).stdout, `congctl ${name}`);
      }
    }
  });

  await t.test("refuses what it does not understand", async (t) => {
    await t.rejects(path.set({ ...wide, loss: 2 }), /refused/);
  });
});

t.test("the TUN link leaves no namespace behind", { skip }, async (t) => {
  const path = await openTunPath(buildTunLink());
  const names = [path.prefixes.client.at(-1), path.prefixes.server.at(-1)];
  const list = () => spawnSync("ip", ["netns", "list"], { encoding: "utf8" }).stdout;
  for (const name of names) t.match(list(), name);
  await path.close();
  for (const name of names) t.notMatch(list(), name);
});
