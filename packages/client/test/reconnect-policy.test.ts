import { createReconnectPolicy } from "@sluice/client";
import { createRandom } from "@sluice/simnet";
import t from "tap";

t.test("waits double from attempt to attempt up to the longest, each a random part of that", async (t) => {
  const longest = createReconnectPolicy({ random: () => 1 });
  const waits = Array.from({ length: 8 }, () => longest.ended(true, 0));
  t.same(waits, [100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000]);
  const shortest = createReconnectPolicy({ random: () => 0 });
  t.same([shortest.ended(true, 0), shortest.ended(true, 0)], [0, 0]);

  const seed = 12;
  t.comment(`seed ${seed}`);
  const random = createRandom(seed);
  const policy = createReconnectPolicy({ random: () => random.next(), firstMs: 10, maxMs: 640 });
  let sum = 0;
  for (let i = 0; i < 2_000; i++) {
    const wait = policy.ended(true, 0)!;
    if (wait < 0 || wait > Math.min(640, 10 * 2 ** i)) t.fail(`${i}: ${wait}`);
    if (i >= 10) sum += wait;
  }
  t.ok(Math.abs(sum / 1_990 - 320) < 20, "uniform: the mean is half of the longest");
});

t.test("only a session that lasted makes the next wait a first one", async (t) => {
  const policy = createReconnectPolicy({ random: () => 1, stableMs: 10_000 });
  for (let i = 0; i < 5; i++) policy.ended(true, i);
  policy.opened(1_000);
  t.equal(policy.ended(true, 10_999), 3_200, "it was dropped too soon");
  t.equal(policy.attempts, 6);
  policy.opened(20_000);
  t.equal(policy.ended(true, 30_000), 100);
  t.equal(policy.ended(true, 90_000), 200, "time without a session is no stable session");
});

t.test("it gives up where told that it is no use, or after so many attempts", async (t) => {
  const policy = createReconnectPolicy({ random: () => 1, maxAttempts: 2 });
  t.same(
    [1, 2, 3].map(() => policy.ended(true, 0)),
    [100, 200, undefined],
  );
  const fresh = createReconnectPolicy({ random: () => 1 });
  t.equal(fresh.ended(false, 0), undefined);
});
