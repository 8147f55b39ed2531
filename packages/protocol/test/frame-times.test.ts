import t from "tap";
import { createFrameTimes } from "#src/frame-times.js";

/** Of frames that took 80 ms here and 40 ms there, the last of them let in at 1,000 ms. */
function measured() {
  const times = createFrameTimes();
  times.tookHere(80);
  times.tookThere(40);
  times.admitted(1_000);
  return times;
}

t.test("an eighth of each frame counts, and all of the first", async (t) => {
  const times = measured();
  times.tookHere(160);
  times.tookThere(0);
  t.match(times, { clientMs: 90, serverMs: 35 });
});

t.test("half is left after half a second in which the gate turned frames away for it", async (t) => {
  const times = measured();
  times.turnedAway(1_500);
  t.match(times, { clientMs: 40, serverMs: 20 });
  times.turnedAway(1_500);
  t.match(times, { clientMs: 40, serverMs: 20 });
  times.turnedAway(2_500);
  t.match(times, { clientMs: 10, serverMs: 5 });
  times.admitted(2_600);
  times.ended(true);
  t.match(times, { clientMs: 10, serverMs: 5 }, "a frame in time shows that it is so");
  const fresh = createFrameTimes();
  fresh.turnedAway(0);
  t.match(fresh, { clientMs: 0, serverMs: 0 }, "where nothing was let in, nothing is known");
});

t.test("a late frame shows that all of it still holds, and it fades more slowly", async (t) => {
  const times = measured();
  times.ended(false);
  for (const halfLifeMs of [500, 1_000, 2_000, 2_000]) {
    times.admitted(2_000);
    times.turnedAway(2_000 + halfLifeMs);
    t.match(times, { clientMs: 40, serverMs: 20 }, `${halfLifeMs} ms`);
    times.admitted(5_000);
    times.ended(false);
    t.match(times, { clientMs: 80, serverMs: 40 });
    times.ended(false);
    t.match(times, { clientMs: 80, serverMs: 40 }, "more frames of the same trial say nothing more");
  }
  times.ended(true);
  times.admitted(6_000);
  times.turnedAway(6_500);
  t.match(times, { clientMs: 40, serverMs: 20 }, "one in time, and all is as in the beginning");
});
