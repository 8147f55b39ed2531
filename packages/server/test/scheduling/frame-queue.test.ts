import { createRandom } from "@sluice/simnet";
import t from "tap";
import { simulateQueue } from "./simulate-queue.js";

const single = () => 10;

t.test("of frames that came together the one that is due first runs first", async (t) => {
  const sim = simulateQueue();
  const lane = sim.createLane(single, 1);
  const share = sim.queue.createShare();
  for (const [name, expiresAtMs] of [
    ["first", 1_000],
    ["behind it", 999],
    ["late", 900],
    ["early", 300],
    ["middle", 500],
    ["middle too", 500],
  ] as const) {
    sim.push({ name, share, lane, expiresAtMs });
  }
  t.equal(sim.queue.waiting, 4, "one at work, one got ready");
  sim.run(100);
  t.same(sim.log, ["first", "behind it", "early", "middle", "middle too", "late"]);
  t.equal(sim.queue.waiting, 0);
});

t.test("sessions take turns, whatever deadlines they name, while nobody would be late", async (t) => {
  const sim = simulateQueue();
  const lane = sim.createLane(single, 1);
  const [hasty, patient] = [sim.queue.createShare(), sim.queue.createShare()];
  for (let i = 0; i < 5; i++) sim.push({ name: `hasty ${i}`, share: hasty, lane, expiresAtMs: 150 });
  sim.run(1);
  sim.push({ name: "patient 0", share: patient, lane, expiresAtMs: 500 });
  sim.push({ name: "patient 1", share: patient, lane, expiresAtMs: 500 });
  sim.run(1_000);
  const [atWork, gotReady, ...others] = sim.log;
  t.same([atWork, gotReady], ["hasty 0", "hasty 1"]);
  t.same(others, ["patient 0", "hasty 2", "patient 1", "hasty 3", "hasty 4"]);
});

t.test("a frame that would be late otherwise goes by its deadline", async (t) => {
  // Two at work and got ready end at 20: a frame due at 45 has half of its time until 22.5, one due at 145 more than it needs.
  for (const [expiresAtMs, expected] of [
    [45, ["late else", "a", "b"]],
    [145, ["a", "b", "late else"]],
  ] as const) {
    const sim = simulateQueue();
    const lane = sim.createLane(single, 1);
    const [used, a, b] = [0, 1, 2].map(() => sim.queue.createShare());
    for (let i = 0; i < 2; i++) sim.push({ name: "first", share: used!, lane, expiresAtMs: 1_000 });
    sim.push({ name: "a", share: a!, lane, expiresAtMs: 1_000 });
    sim.push({ name: "b", share: b!, lane, expiresAtMs: 1_000 });
    sim.push({ name: "late else", share: used!, lane, expiresAtMs });
    sim.run(1_000);
    t.same(sim.log, ["first", "first", ...expected]);
  }
});

t.test(
  "what could not be in time is refused when it comes, what becomes so is shed before its turn",
  async (t) => {
    const sim = simulateQueue();
    const lane = sim.createLane(single, 1);
    const share = sim.queue.createShare();
    sim.push({ name: "past", share, lane, expiresAtMs: 5 });
    t.same(sim.log, ["past late"]);
    for (const name of ["a", "b", "c"]) sim.push({ name, share, lane, expiresAtMs: 31 });
    // At work and got ready until 20, one ahead until 30.
    sim.push({ name: "hopeless", share, lane, expiresAtMs: 37 });
    t.same(sim.log.slice(1), ["a", "b", "hopeless late"]);
    sim.push({ name: "in time", share, lane, expiresAtMs: 45 });
    sim.push({ name: "urgent", share, lane, expiresAtMs: 32 });
    t.same(sim.log.slice(4), ["urgent late"], "admitted ones keep their place");
    sim.run(100);
    t.same(sim.log.slice(5), ["c", "in time"]);
  },
);

t.test("frames that wait run together where that is cheaper, and alone where it is not", async (t) => {
  for (const [cost, expected] of [
    [(frames: number) => 8 + 2 * frames, ["0", "1+2+3+4+5+6+7+8", "9"]],
    [(frames: number) => 100 * frames, ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]],
  ] as const) {
    const sim = simulateQueue();
    const lane = sim.createLane(cost);
    for (let i = 0; i < 10; i++)
      sim.push({ name: `${i}`, share: sim.queue.createShare(), lane, expiresAtMs: 10_000 });
    sim.run(10_000);
    t.same(sim.log, expected);
  }
});

t.test("behind a batch at work only a full one is got ready", async (t) => {
  const sim = simulateQueue();
  const lane = sim.createLane((frames) => 8 + 2 * frames, 4);
  const share = sim.queue.createShare();
  for (let i = 0; i < 4; i++) sim.push({ name: `${i}`, share, lane, expiresAtMs: 1_000 });
  t.same(sim.log, ["0"]);
  sim.push({ name: "4", share, lane, expiresAtMs: 1_000 });
  t.same(sim.log, ["0", "1+2+3+4"]);
  sim.push({ name: "5", share, lane, expiresAtMs: 1_000 });
  sim.run(10);
  t.same(sim.log.slice(2), [], "one more has time to grow");
  sim.run(1_000);
  t.same(sim.log.slice(2), ["5"]);
});

t.test("a batch does not grow beyond what its first to be due allows", async (t) => {
  const sim = simulateQueue();
  const lane = sim.createLane((frames) => 8 + 2 * frames);
  const share = sim.queue.createShare();
  sim.push({ name: "at work", share, lane, expiresAtMs: 1_000 });
  // Ready at 10: three take until 24, four until 26.
  sim.push({ name: "tight", share, lane, expiresAtMs: 25 });
  for (let i = 0; i < 4; i++) sim.push({ name: `${i}`, share, lane, expiresAtMs: 1_000 });
  sim.run(100);
  t.same(sim.log, ["at work", "tight+0+1", "2+3"]);
  t.equal(sim.ends.get("tight"), 24);
});

t.test("an idle network waits for more only where it could not keep up, and in time", async (t) => {
  const sim = simulateQueue();
  const lane = sim.createLane((frames) => 20 + frames);
  const share = sim.queue.createShare();
  // A frame each 10 ms; alone each takes 21 ms.
  for (let i = 0; i < 40; i++) {
    sim.run(i * 10);
    sim.push({ name: `${i}`, share, lane, expiresAtMs: i * 10 + 100 });
  }
  sim.run(1_000);
  t.notOk(sim.log.some((entry) => entry.endsWith("late")));
  for (const [name, endMs] of sim.ends) t.ok(endMs <= Number(name) * 10 + 100, `${name} in time`);
  t.ok(sim.log.length < 20, `${sim.log.length} batches of 40 frames`);
});

t.test("a session that floods does not cost the others their deadlines", async (t) => {
  const seed = 71;
  t.comment(`seed ${seed}`);
  const random = createRandom(seed);
  for (const cost of [single, (frames: number) => 6 + 4 * frames]) {
    const sim = simulateQueue({ maxWaiting: 64 });
    const lane = sim.createLane(cost);
    const flood = sim.queue.createShare();
    const good = [1, 2, 3].map(() => sim.queue.createShare());
    let offered = 0;
    for (let atMs = 0; atMs < 3_000; atMs += 1) {
      sim.run(atMs);
      // With deadlines before those of the others, so that these alone would let it have everything.
      for (let i = 0; i < 3; i++)
        sim.push({ name: `flood ${atMs}.${i}`, share: flood, lane, expiresAtMs: atMs + 60 });
      good.forEach((share, client) => {
        if ((atMs + client * 17 + Math.floor(random.next() * 3)) % 66 !== 0) return;
        offered++;
        sim.push({ name: `good ${client} ${atMs}`, share, lane, expiresAtMs: atMs + 100 });
      });
    }
    sim.run(4_000);
    const done = [...sim.ends.keys()];
    t.equal(
      done.filter((name) => name.startsWith("good")).length,
      offered,
      "every frame of the others is done",
    );
    t.ok(offered > 90, `${offered} frames`);
    for (const [name, endMs] of sim.ends) {
      if (name.startsWith("good"))
        t.ok(endMs <= Number(name.split(" ")[2]) + 100, `${name} ended at ${endMs}`);
    }
    t.ok(
      done.some((name) => name.startsWith("flood")),
      "what is left over is the flood's",
    );
  }
});

t.test("under overload sessions that want the same get the same", async (t) => {
  const sim = simulateQueue({ maxWaiting: 64 });
  const lane = sim.createLane(single, 1);
  const shares = [0, 1, 2, 3].map(() => sim.queue.createShare());
  // Session 3 offers ten times as much as the others, which offer as much as there is.
  for (let atMs = 0; atMs < 4_000; atMs += 10) {
    sim.run(atMs);
    shares.forEach((share, client) => {
      for (let i = 0; i < (client === 3 ? 10 : 1); i++)
        sim.push({ name: `${client} ${atMs}.${i}`, share, lane, expiresAtMs: atMs + 200 });
    });
  }
  sim.run(5_000);
  const counts = shares.map(
    (_, client) => [...sim.ends.keys()].filter((name) => name.startsWith(`${client} `)).length,
  );
  for (const count of counts) t.ok(Math.abs(count - 100) <= 15, `${counts.join(", ")} of about 100 each`);
});

t.test("a full queue gives up what is due last of the session that has most in it", async (t) => {
  const sim = simulateQueue({ maxWaiting: 4 });
  const lane = sim.createLane(single, 1);
  const [hog, other] = [sim.queue.createShare(), sim.queue.createShare()];
  for (let i = 0; i < 6; i++) sim.push({ name: `hog ${i}`, share: hog, lane, expiresAtMs: 500 + i });
  sim.push({ name: "other", share: other, lane, expiresAtMs: 900 });
  t.same(sim.log, ["hog 0", "hog 1", "hog 5 full"]);
  t.equal(sim.queue.waiting, 4);
});

t.test("bytes that wait are bounded", async (t) => {
  const sim = simulateQueue({ maxWaitingBytes: 100 });
  const lane = sim.createLane(single, 1);
  const share = sim.queue.createShare();
  for (const [name, bytes] of [
    ["at work", 5_000],
    ["got ready", 5_000],
    ["a", 60],
    ["b", 60],
    ["c", 30],
  ] as const) {
    sim.push({ name, share, lane, bytes, expiresAtMs: 1_000 });
  }
  sim.run(1_000);
  t.same(sim.log, ["at work", "got ready", "b full", "a", "c"]);
});

t.test("networks do not wait for each other, up to as many as may work at once", async (t) => {
  const sim = simulateQueue({ concurrency: 2 });
  const share = sim.queue.createShare();
  for (const name of ["a", "b", "c"]) {
    sim.push({ name, share, lane: sim.createLane(single, 1), expiresAtMs: 1_000 });
  }
  t.same(sim.log, ["a", "b"]);
  sim.run(10);
  t.same(sim.log, ["a", "b", "c"]);
});

t.test("what waits for a session that has ended is dropped", async (t) => {
  const sim = simulateQueue();
  const lane = sim.createLane(single, 1);
  const [gone, other] = [sim.queue.createShare(), sim.queue.createShare()];
  for (let i = 0; i < 5; i++) sim.push({ name: `gone ${i}`, share: gone, lane, expiresAtMs: 500 });
  sim.push({ name: "other", share: other, lane, expiresAtMs: 900 });
  t.equal(sim.queue.drop(gone).length, 3);
  sim.run(1_000);
  t.same(sim.log, ["gone 0", "gone 1", "other"]);
});

t.test("one slow run does not shut the door for good", async (t) => {
  const sim = simulateQueue();
  let ms = 8_000;
  const lane = sim.queue.createLane({ maxFrames: 1, costs: [], maxUnderWay: 2, isSerial: true });
  const slow = sim.createLane(() => ms, 1);
  t.equal(lane.curve.msOf(1), 0);
  const share = sim.queue.createShare();
  sim.push({ name: "slow", share, lane: slow, expiresAtMs: 1e6 });
  sim.run(8_000);
  ms = 10;
  for (let i = 0; i < 200 && !sim.log.includes("next"); i++)
    sim.push({ name: "next", share, lane: slow, expiresAtMs: 8_000 + 150 });
  t.ok(sim.log.includes("next"));
  t.ok(sim.log.filter((entry) => entry === "next late").length > 10);
});
