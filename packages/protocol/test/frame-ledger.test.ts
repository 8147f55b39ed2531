import fc from "fast-check";
import t from "tap";
import { createFrameLedger, type ExpiryReason } from "#src/frame-ledger.js";

const nothingSent = { maxResultBytes: 0, expectedBytes: 0, payloadBytes: 0, submittedMs: 0, sendQueueMs: 0 };

const expiryReasons: readonly ExpiryReason[] = [
  "abandoned",
  "send-queue",
  "no-result",
  "server-expired",
  "closed",
];
const seed = 9;

const operation = fc.oneof(
  fc.record({
    type: fc.constant("drop" as const),
    reason: fc.constantFrom("bandwidth", "deadline", "not-open"),
  }),
  fc.record({ type: fc.constant("admit" as const), givenUpAtMs: fc.nat(100) }),
  fc.record({
    type: fc.constant("expire" as const),
    frame: fc.nat(20),
    reason: fc.constantFrom(...expiryReasons),
  }),
  fc.record({ type: fc.constant("deliver" as const), frame: fc.nat(20), onTime: fc.boolean() }),
  fc.record({ type: fc.constant("sweep" as const), nowMs: fc.nat(100) }),
);

t.test("offered = dropped + expired + delivered + in flight after any sequence of operations", async (t) => {
  t.comment(`seed ${seed}`);
  const property = fc.property(fc.array(operation, { maxLength: 60 }), (operations) => {
    const ledger = createFrameLedger();
    const open = new Map<number, number>();
    let offered = 0;
    let onTime = 0;
    let next = 0;
    for (const step of operations) {
      if (step.type === "drop") {
        ledger.drop(step.reason as "bandwidth");
        offered++;
      } else if (step.type === "admit") {
        const { givenUpAtMs } = step;
        const times = { capturedMs: 0, admittedMs: 0, deadlineMs: 1, givenUpAtMs };
        ledger.admit({ stream: 1, frame: next, ...times, ...nothingSent });
        open.set(next++, givenUpAtMs);
        offered++;
      } else if (step.type === "sweep") {
        for (let late = ledger.overdue(step.nowMs); late; late = ledger.overdue(step.nowMs)) {
          ledger.expire(1, late.frame, "no-result");
          if (!open.delete(late.frame) || late.givenUpAtMs > step.nowMs) return false;
        }
        if ([...open.values()].some((atMs) => atMs <= step.nowMs)) return false;
      } else {
        const known = open.delete(step.frame);
        const entry =
          step.type === "expire"
            ? ledger.expire(1, step.frame, step.reason)
            : ledger.deliver(1, step.frame, step.onTime);
        if (known !== (entry?.frame === step.frame)) return false;
        if (known && step.type === "deliver" && step.onTime) onTime++;
      }
      const { counts, inFlight } = ledger;
      const sum = (reasons: object) =>
        Object.values(reasons).reduce((total: number, count: number) => total + count, 0);
      const holds =
        counts.offered === offered &&
        counts.offered === counts.dropped + counts.expired + counts.delivered + inFlight &&
        counts.admitted === counts.expired + counts.delivered + inFlight &&
        sum(counts.dropReasons) === counts.dropped &&
        sum(counts.expiryReasons) === counts.expired &&
        counts.onTime === onTime &&
        inFlight === open.size &&
        [...ledger.open()].length === open.size &&
        ledger.nextTimeoutMs() === Math.min(Number.POSITIVE_INFINITY, ...open.values());
      if (!holds) return false;
    }
    return true;
  });
  t.equal(fc.check(property, { seed, numRuns: 1_000 }).counterexample, null);
});

t.test("frames of several streams are told apart, and an ended one does not end again", async (t) => {
  const ledger = createFrameLedger();
  const times = {
    capturedMs: 0,
    admittedMs: 0,
    deadlineMs: 10,
    givenUpAtMs: 20,
    ...nothingSent,
  };
  ledger.admit({ stream: 1, frame: 11, ...times });
  ledger.admit({ stream: 11, frame: 1, ...times });
  t.match(ledger.find(11, 1), { stream: 11, frame: 1 });
  t.match(ledger.deliver(1, 11, false), { stream: 1, frame: 11 });
  t.equal(ledger.deliver(1, 11, true), undefined);
  t.equal(ledger.expire(1, 11, "failed"), undefined);
  t.match(ledger.counts, { offered: 2, delivered: 1, onTime: 0, expired: 0 });
  t.equal(ledger.overdue(19.9), undefined);
  t.match(ledger.overdue(20), { stream: 11 });
});

t.test("counts are a picture of the moment", async (t) => {
  const ledger = createFrameLedger();
  const before = ledger.counts;
  ledger.drop("deadline");
  t.same([before.dropped, before.dropReasons], [0, {}]);
  t.same(ledger.counts.dropReasons, { deadline: 1 });
});
