import { createTimeShares } from "@sluice/transport";
import t from "tap";

/** A thread on which each session wants so many reads of `readMs` in a second; a read that is due waits for its turn. */
function simulate(wanted: readonly number[], readMs: number, seconds = 5) {
  const shares = createTimeShares();
  const sessions = wanted.map((perSecond) => ({ share: shares.open(), perSecond, read: 0, lost: 0 }));
  const arrivals = sessions
    .flatMap((session) =>
      Array.from({ length: seconds * session.perSecond }, (_, i) => ({
        session,
        atMs: (i * 1_000) / session.perSecond,
      })),
    )
    .sort((a, b) => a.atMs - b.atMs);
  let nowMs = 0;
  let worstWaitMs = 0;
  for (const { session, atMs } of arrivals) {
    nowMs = Math.max(nowMs, atMs);
    if (atMs > 1_000) worstWaitMs = Math.max(worstWaitMs, nowMs - atMs);
    if (!session.share.mayUse(nowMs)) {
      session.lost++;
      continue;
    }
    nowMs += readMs;
    session.share.hasUsed(readMs, nowMs);
    session.read++;
  }
  return { sessions, worstWaitMs };
}

t.test("while the thread keeps up nothing is lost, whoever uses it", async (t) => {
  const { sessions } = simulate([5_000, 30], 0.1);
  t.equal(
    sessions.reduce((sum, { lost }) => sum + lost, 0),
    0,
  );
});

t.test("a flood loses what is beyond its share, the others lose nothing and do not wait", async (t) => {
  const { sessions, worstWaitMs } = simulate([40_000, 40_000, 30, 30, 30, 60], 0.1);
  const [first, second, ...others] = sessions;
  t.ok(
    first!.lost > 0.5 * 200_000 && second!.lost > 0.5 * 200_000,
    `${first!.lost} and ${second!.lost} lost`,
  );
  t.ok(second!.read > 0.3 * first!.read, "each flood has a share");
  for (const { lost } of others) t.equal(lost, 0);
  t.ok(worstWaitMs < 5, `${worstWaitMs} ms`);
  t.ok(first!.read + second!.read > 0.3 * 5 * 10_000, "what is left over is theirs");
});

t.test("one that is alone may use what there is", async (t) => {
  const { sessions } = simulate([20_000], 0.1);
  t.ok(sessions[0]!.read > 0.5 * 5 * 10_000, `${sessions[0]!.read} read`);
});

t.test("who stops flooding is read again", async (t) => {
  const shares = createTimeShares();
  const share = shares.open();
  const other = shares.open();
  for (let i = 0; i < 50; i++) share.hasUsed(10, i * 10);
  t.notOk(share.mayUse(500));
  t.ok(share.mayUse(900));
  for (let i = 0; i < 50; i++) share.hasUsed(10, 1_000 + i * 10);
  t.notOk(share.mayUse(1_500));
  other.close();
  t.ok(share.mayUse(1_500), "with nobody else there, nobody waits for it");
});
