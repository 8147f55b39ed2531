import { createLink, createRandom, createScheduledLink, createVirtualClock } from "@sluice/simnet";
import t from "tap";

t.test(
  "packets arrive at their virtual times, duplicates twice, lost and corrupted ones never",
  async (t) => {
    const clock = createVirtualClock();
    const link = createLink({ rateBitsPerSecond: 8_000_000, delayMs: 5 }, createRandom(1));
    const arrived: [string, number][] = [];
    const send = createScheduledLink<string>(clock, link, (packet, nowMs) => arrived.push([packet, nowMs]));
    send("a", 1000);
    send("b", 1000);
    clock.runUntil(6.5);
    t.same(arrived, [["a", 6]]);
    link.set({ duplicate: 1 }, clock.now());
    send("c", 1000);
    link.set({ duplicate: 0, loss: 1 }, clock.now());
    t.same(send("d", 1000), { dropped: "loss" });
    link.set({ loss: 0, corrupt: 1 }, clock.now());
    t.ok("corruption" in send("e", 1000));
    clock.runUntil(100);
    t.same(arrived, [
      ["a", 6],
      ["b", 7],
      ["c", 12.5],
      ["c", 12.5],
    ]);
  },
);
