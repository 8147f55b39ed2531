/** Whose turn it is to work here, and what is taken for its load. */

import t from "tap";
import { createClientLane } from "#client/strategy/client-lane.js";
import { createWorkLoad } from "#client/strategy/work-load.js";
import { createVirtualTime } from "./virtual-time.js";

/** Offers frames at a distance; what became of each, and when it ended. */
async function offer(options: {
  readonly frames: number;
  readonly apartMs: number;
  readonly deadlineMs: number;
  readonly workMs: (frame: number) => number;
  /** What is expected of each. */
  readonly usualMs: number;
}): Promise<{ readonly endedMs: (number | undefined)[]; readonly waiting: number }> {
  const { frames, apartMs, deadlineMs, workMs, usualMs } = options;
  const time = createVirtualTime();
  const lane = createClientLane(1, time);
  const endedMs: (number | undefined)[] = [];
  let waiting = 0;
  async function send(frame: number): Promise<void> {
    const capturedMs = time.now();
    waiting++;
    const turn = await lane.enter({
      ...{ capturedMs, isProbe: false },
      workMs: () => usualMs,
      latestEndMs: () => capturedMs + deadlineMs,
    });
    waiting--;
    await turn?.run(() => new Promise<void>((resolve) => time.schedule(workMs(frame), resolve)));
    if (turn) endedMs[frame] = time.now() - capturedMs;
  }
  for (let frame = 0; frame < frames; frame++) {
    endedMs.push(undefined);
    void send(frame);
    await time.advance(apartMs);
  }
  await time.advance(1_000);
  return { endedMs, waiting };
}

const inTime = (endedMs: readonly (number | undefined)[], deadlineMs: number) =>
  endedMs.filter((ms) => ms !== undefined && ms <= deadlineMs).length;

t.test("behind one that takes long, those wait that can still be in time", async (t) => {
  const { endedMs } = await offer({
    ...{ frames: 20, apartMs: 50, deadlineMs: 300, usualMs: 20 },
    workMs: (frame) => (frame === 5 ? 250 : 20),
  });
  t.equal(inTime(endedMs, 300), 20, endedMs.join(" "));
  const longer = await offer({
    ...{ frames: 20, apartMs: 50, deadlineMs: 300, usualMs: 20 },
    workMs: (frame) => (frame === 5 ? 450 : 20),
  });
  t.equal(longer.endedMs[6], undefined, "and nobody works on those that cannot");
  t.equal(inTime(longer.endedMs, 300), 16, longer.endedMs.join(" "));
});

t.test(
  "a few that wait behind a long one are caught up with, though works are expected to be too long",
  async (t) => {
    const { endedMs } = await offer({
      ...{ frames: 20, apartMs: 50, deadlineMs: 300, usualMs: 52 },
      workMs: (frame) => (frame === 5 ? 150 : 40),
    });
    t.equal(inTime(endedMs, 300), 20, endedMs.join(" "));
  },
);

t.test(
  "where works take longer than frames are apart the last one goes, and nothing stands still",
  async (t) => {
    const { endedMs, waiting } = await offer({
      ...{ frames: 30, apartMs: 33, deadlineMs: 150, usualMs: 100, workMs: () => 100 },
    });
    const ended = endedMs.filter((ms) => ms !== undefined);
    t.ok(ended.length >= 10, `${ended.length} of 990 ms`);
    // The last one waits until what is worked on is done: no other takes its place.
    const latest = Math.max(...ended.slice(0, -1));
    t.ok(latest <= 133, `${latest} ms: none has waited longer than frames are apart`);
    t.equal(waiting, 0, "each is told");
  },
);

t.test(
  "whoever finds it idle goes, whatever is expected, and nobody waits for what cannot be in time",
  async (t) => {
    const { endedMs } = await offer({
      ...{ frames: 10, apartMs: 50, deadlineMs: 100, usualMs: 400, workMs: () => 40 },
    });
    t.equal(inTime(endedMs, 100), 10, "nothing would be learnt otherwise");
    const slow = await offer({
      ...{ frames: 10, apartMs: 50, deadlineMs: 100, usualMs: 400, workMs: () => 90 },
    });
    t.same(
      slow.endedMs.map((ms) => ms !== undefined),
      [true, false, true, false, true, false, true, false, true, false],
    );
  },
);

t.test(
  "what goes beside the choice has its turn where frames come faster than they are worked on",
  async (t) => {
    const time = createVirtualTime();
    const lane = createClientLane(1, time);
    const went: string[] = [];
    async function send(name: string, isProbe: boolean): Promise<void> {
      const capturedMs = time.now();
      const latestEndMs = () => capturedMs + 150;
      const turn = await lane.enter({ capturedMs, isProbe, workMs: () => 45, latestEndMs });
      if (!turn) return;
      went.push(name);
      await turn.run(() => new Promise<void>((resolve) => time.schedule(45, resolve)));
    }
    for (let frame = 0; frame < 6; frame++) {
      if (frame === 2) void send("probe", true);
      void send(`${frame}`, false);
      await time.advance(20);
    }
    await time.advance(500);
    t.same(went, ["0", "probe", "4", "5"]);
  },
);

t.test("a turn is given back once, also by a work that fails", async (t) => {
  const time = createVirtualTime();
  const lane = createClientLane(1, time);
  const wish = { capturedMs: 0, isProbe: false, workMs: () => 1, latestEndMs: () => 1_000 };
  const first = (await lane.enter(wish))!;
  await t.rejects(
    first.run(() => Promise.reject(new Error("no such input"))),
    /no such input/,
  );
  first.leave();
  const second = (await lane.enter(wish))!;
  let third: unknown = "waits";
  void lane.enter(wish).then((turn) => {
    third = turn;
  });
  await time.advance(10);
  t.equal(third, "waits", "there is one turn and no more");
  second.leave();
  await time.advance(10);
  t.not(third, "waits");
});

t.test("a load is what works usually take; moments in which one takes far longer stand beside it", (t) => {
  const load = createWorkLoad(60_000);
  t.equal(load.usual(0), 1, "as the profile says, before the first");
  let most = 0;
  for (let i = 0; i < 200; i++) {
    load.add(i % 30 === 29 ? 10 : 1.5, i * 50);
    if (i > 2) most = Math.max(most, load.usual(i * 50));
  }
  t.equal(most, 1.5);
  const excess = load.excess(10_000);
  t.ok(excess > 1.1 && excess < 1.35, `${excess}: all together take (29 x 1.5 + 10) / 30 / 1.5 = 1.19 of it`);
  const begun: number[] = [];
  for (let i = 0; i < 7; i++) {
    load.add(6, 10_000 + i * 50);
    begun.push(load.usual(10_000 + i * 50));
  }
  t.same(begun, [1.5, 1.5, 1.5, 6, 6, 6, 6], "a load that has come shows when most of the last works had it");
  t.ok(load.excess(10_300) <= excess, "and its first works are no moments");
  t.end();
});

t.test("rare works tell of a load that has gone at once, and of one that has come twice", (t) => {
  const load = createWorkLoad(60_000);
  for (let i = 0; i < 7; i++) load.add(5, i * 50);
  load.add(1.25, 6_000);
  t.equal(load.usual(6_000), 1.25);
  load.add(8, 12_000);
  t.equal(load.usual(12_000), 1.25);
  load.add(8, 18_000);
  t.equal(load.usual(18_000), 8);
  t.ok(load.usual(80_000) < 5, "what is not seen again is forgotten");
  t.end();
});

t.test("a load of which no work comes through shows by the works that come to nothing", (t) => {
  const load = createWorkLoad(60_000);
  for (let i = 0; i < 7; i++) load.add(1, i * 50);
  load.failed(350);
  t.equal(load.usual(350), 1, "those behind a usual one tell nothing");
  load.add(100, 400);
  for (let i = 0; i < 3; i++) load.failed(450 + i * 50);
  t.equal(load.usual(550), 20, "bounded");
  t.end();
});
