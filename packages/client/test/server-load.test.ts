/** Several clients of one server on virtual time: what the load does to them. */
import { createClient, type FrameOutcome } from "@sluice/client";
import { type ServedStream, serveEach } from "@sluice/server";
import { createTensor } from "@sluice/tensor";
import t from "tap";
import { createMemoryServer } from "./memory-server.js";
import { createVirtualTime } from "./virtual-time.js";

const spec = { dtype: "uint8", shape: [100], layout: "any" } as const;
const tensor = createTensor("uint8", spec.shape);

/** A network that does 100 frames a second, one after another. */
function createSlowNetwork(clock: ReturnType<typeof createVirtualTime>): ServedStream {
  let freeAtMs = 0;
  const served = serveEach(() => {
    freeAtMs = Math.max(freeAtMs, clock.now()) + 10;
    return new Promise((resolve) => clock.schedule(freeAtMs - clock.now(), () => resolve({})));
  });
  return { ...served, network: { ...served.network, isSerial: true } };
}

t.test(
  "under overload clients are told what they may send, and the frames they send are answered",
  async (t) => {
    const clock = createVirtualTime();
    const served = createSlowNetwork(clock);
    const rates: number[] = [];
    const { connect, server } = createMemoryServer({ clock, openServedStream: async () => served });
    const clients = await Promise.all(
      [0, 1].map(async () => {
        const opening = createClient(connect(), { clock });
        await clock.advance(10);
        return opening;
      }),
    );
    const streams = [];
    for (const client of clients) {
      const opening = client.openStream({ model: "m", spec, codec: "raw", deadlineMs: 100 });
      await clock.advance(10);
      streams.push(await opening);
    }
    const outcomes: FrameOutcome[][] = [[], []];
    // 20 and 400 frames a second, of 100 that can be done.
    for (let i = 0; i < 4_000; i++) {
      if (i % 20 === 0) void streams[0]!.send(tensor).then((outcome) => outcomes[0]!.push(outcome));
      void streams[1]!.send(tensor).then((outcome) => outcomes[1]!.push(outcome));
      await clock.advance(2.5);
      rates.push(clients[1]!.limits.framesPerSecond);
    }
    t.equal(rates[0], 0, "no limit at the start");
    const late = rates.slice(1_000);
    t.ok(
      Math.min(...late) > 50 && Math.max(...late) < 130,
      `${Math.min(...late)} to ${Math.max(...late)} a second`,
    );
    const modest = outcomes[0]!.filter(({ status }) => status === "delivered").length;
    t.ok(modest >= 0.95 * outcomes[0]!.length, `${modest} of ${outcomes[0]!.length} of the modest one`);
    const greedy = outcomes[1]!.filter(({ status }) => status === "delivered").length;
    t.ok(greedy >= 10 * 55, `${greedy} of the other, which has what is left over`);
    for (const client of clients) client.close();
    await clock.advance(100);
    t.equal(server.sessions, 0);
    const opening = createClient(connect(), { clock });
    await clock.advance(10);
    t.equal((await opening).limits.framesPerSecond, 0, "whoever comes next finds an idle server");
  },
);
