/** What is worked on here because the way of the choice fails. */
import type { DropReason } from "@sluice/protocol";
import t from "tap";
import type { FrameOutcome } from "#client/frame-outcome.js";
import { orHere, type Rescue } from "#client/strategy/rescue.js";
import { type Phase, runWorld, type Way } from "./adaptive-world.js";
import { createVirtualTime } from "./virtual-time.js";

t.setTimeout(120_000);

const delivered = (onTime: boolean) => ({ status: "delivered", onTime }) as FrameOutcome;
const dropped = (reason: DropReason): FrameOutcome => ({ status: "dropped", reason });

/** Frames are due after 200 ms, and take 50 here: work begins after 140 at the latest. */
function createCase(strategy: Rescue["strategy"] = "server") {
  const time = createVirtualTime();
  const begun: number[] = [];
  const after = (ms: number, outcome: FrameOutcome) =>
    new Promise<FrameOutcome>((resolve) => time.schedule(ms, () => resolve(outcome)));
  const rescue: Rescue = {
    ...{ clock: time, strategy, endMs: 200, workMs: 50 },
    run() {
      begun.push(time.now());
      return after(50, delivered(time.now() + 50 <= 200));
    },
  };
  return { time, begun, after, rescue };
}

async function endOf(sentMs: number, outcome: FrameOutcome, strategy?: Rescue["strategy"]) {
  const { time, begun, after, rescue } = createCase(strategy);
  const ending = orHere(after(sentMs, outcome), rescue).then((ended) => ({ ...ended, atMs: time.now() }));
  await time.advance(1_000);
  return { ...(await ending), begun };
}

t.test("work begins here when a result that has not come could else not be in time", async (t) => {
  t.match(await endOf(100, delivered(true)), { isHere: false, atMs: 100, begun: [] });
  t.match(await endOf(400, delivered(false)), { isHere: true, outcome: { onTime: true }, begun: [140] });
  // The one that was sent comes first after all.
  t.match(await endOf(170, delivered(true)), { isHere: false, atMs: 170, begun: [140] });
  // It is known before that none will come.
  t.match(await endOf(20, dropped("bandwidth")), { isHere: true, atMs: 70, begun: [20] });
});

t.test("of a cut only what was turned away, and not for the client's own sake", async (t) => {
  t.match(await endOf(400, delivered(false), "shared"), { isHere: false, atMs: 400, begun: [] });
  t.match(await endOf(20, dropped("bandwidth"), "shared"), { isHere: true, begun: [20] });
  t.match(await endOf(20, dropped("in-flight"), "shared"), { isHere: false, begun: [] });
  t.match(await endOf(190, dropped("deadline"), "shared"), { isHere: false, begun: [] }, "it is too late");
});

t.test("what is late by both is as it was sent, and what cannot be sent is an error", async (t) => {
  const { time, after, rescue } = createCase();
  const late = orHere(after(400, { status: "expired", reason: "no-result" }), {
    ...rescue,
    run: () => after(300, delivered(false)),
  });
  const thrown = t.rejects(orHere(Promise.reject(new Error("no such input")), rescue), /no such input/);
  await time.advance(1_000);
  t.match(await late, { isHere: false, outcome: { status: "expired" } });
  await thrown;
});

t.test("a path that has no room for all frames leaves the others to the client", async (t) => {
  const ways: readonly Way[] = [
    { name: "client", strategy: "client", clientMs: 150, serverMs: 0, bytes: 0 },
    { name: "server", strategy: "server", clientMs: 0, serverMs: 5, bytes: 16_000 },
  ];
  // The path carries 15 of these images a second, and the client alone 6 of 20.
  const path = { rateBitsPerSecond: 2e6, delayMs: 10, queueMs: 100 };
  const phases: readonly Phase[] = [{ name: "2 Mbit/s", seconds: 8, path }];
  const options = { seed: 7, ways, phases, framesPerSecond: 20, deadlineMs: 300 };
  const { figures, phases: results } = await runWorld(options);
  const [alone] = (await runWorld({ ...options, ways: [ways[1]!] })).phases;
  t.ok(
    results[0]!.onTime > 1.1 * alone!.onTime,
    `${results[0]!.onTime} in time, and ${alone!.onTime} without`,
  );
  t.ok(figures.rescued > 15, `${figures.rescued} of them here`);
  t.equal(results[0]!.rescued, figures.rescued, "and each of them says so");
});
