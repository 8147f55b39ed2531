import t from "tap";
import { latestParityMs, mayRetransmit } from "#src/fec/retransmission-estimate.js";

const conditions = {
  ...{ nowMs: 1_005, capturedMs: 1_000, deadlineMs: 150, rttMs: 40, rttVariationMs: 1 },
  ...{ serverLatencyMs: 2, queueMs: 0 },
};

t.test("a short round trip leaves time to send again, a long one does not", async (t) => {
  // The loss is known at 1,005 + 40 + 4 + 18 = 1,067; what leaves by 1,000 + 135 - 40 - 4 = 1,091 is in time.
  t.equal(latestParityMs(conditions), 1_091);
  t.ok(mayRetransmit(conditions));
  t.ok(mayRetransmit({ ...conditions, nowMs: 1_029 }));
  t.notOk(mayRetransmit({ ...conditions, nowMs: 1_030 }));
  t.notOk(mayRetransmit({ ...conditions, rttMs: 100 }));
  t.notOk(mayRetransmit({ ...conditions, deadlineMs: 100 }));
  t.notOk(mayRetransmit({ ...conditions, rttVariationMs: 10 }), "an uneven path");
  t.notOk(mayRetransmit({ ...conditions, queueMs: 20 }), "a queue, on both ways");
  t.notOk(mayRetransmit({ ...conditions, serverLatencyMs: 20 }));
});
