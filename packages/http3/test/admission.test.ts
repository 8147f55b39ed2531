import t from "tap";
import { Admission, type AdmissionLimits, type RetryMode } from "#src/admission/admission.js";
import { RateTable } from "#src/admission/rate-table.js";
import { DEFAULT_RETRY_SWITCH, RetrySwitch } from "#src/admission/retry-switch.js";
import { isLoopback, sourceKey } from "#src/admission/source-key.js";

t.test("a source is an IPv4 address or an IPv6 network of 64 bits", async (t) => {
  for (const [address, key] of [
    ["192.0.2.1", "192.0.2.1"],
    ["::ffff:192.0.2.1", "192.0.2.1"],
    ["2001:db8::1", "2001:db8:0:0::/64"],
    ["2001:db8:0:0:ffff:ffff:ffff:ffff", "2001:db8:0:0::/64"],
    ["2001:0DB8::5", "2001:db8:0:0::/64"],
    ["2001:db8:0:1::1", "2001:db8:0:1::/64"],
    ["::1", "0:0:0:0::/64"],
    ["fe80::1%eth0", "fe80:0:0:0::/64"],
    ["64:ff9b::192.0.2.33", "64:ff9b:0:0::/64"],
    ["1:2:3:4:5:6:7::", "1:2:3:4::/64"],
  ] as const) {
    t.equal(sourceKey(address), key, address);
  }
  t.ok(["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"].every(isLoopback));
  t.notOk(["128.0.0.1", "::2", "::ffff:10.0.0.1", "fe80::1"].some(isLoopback));
});

t.test("a source has its burst, then its rate; pauses fill it up again", async (t) => {
  const table = new RateTable({ perSecond: 10, burst: 3 }, 100);
  const taken = (nowMs: number) => table.take("a", nowMs);
  t.strictSame([taken(0), taken(0), taken(0), taken(0)], [true, true, true, false]);
  t.strictSame([taken(99), taken(100), taken(100)], [false, true, false]);
  t.equal(table.take("b", 100), true, "another source");
  t.strictSame([taken(60_000), taken(60_000), taken(60_000), taken(60_000)], [true, true, true, false]);
  t.equal(taken(59_000), false, "time that goes back gives nothing");
});

t.test("the table of sources is bounded and forgets the one not seen for longest", async (t) => {
  const table = new RateTable({ perSecond: 1, burst: 1 }, 3);
  for (const key of ["a", "b", "c"]) t.ok(table.take(key, 0));
  t.notOk(table.take("a", 0), "a is seen again");
  t.ok(table.take("d", 0));
  t.equal(table.size, 3);
  t.notOk(table.take("a", 0), "a is still known");
  t.ok(table.take("b", 0), "b was forgotten");
  for (let i = 0; i < 10_000; i++) table.take(`source ${i}`, i);
  t.equal(table.size, 3);
});

t.test(
  "Retry goes on with many handshakes under way, and off when it has been calm for a while",
  async (t) => {
    const { handshakes, calmMs } = DEFAULT_RETRY_SWITCH;
    const retry = new RetrySwitch();
    let nowMs = 0;
    // One newcomer a second: the rate plays no part.
    const at = (underWay: number, laterMs = 1000) => {
      nowMs += laterMs;
      return retry.decide(underWay, nowMs);
    };
    t.notOk(at(handshakes - 1));
    t.ok(at(handshakes));
    t.ok(at(handshakes - 1), "a little below: still on");
    t.ok(at(handshakes / 2, 10 * calmMs), "half is not calm, however long");
    t.ok(at(handshakes / 2 - 1), "calm begins");
    t.ok(at(handshakes / 2 - 1, calmMs - 1), "not long enough");
    t.ok(at(handshakes / 2), "it ends");
    t.ok(at(0), "calm begins anew");
    t.notOk(at(0, calmMs), "off");
    t.notOk(at(handshakes - 1), "and on only at the full limit");
  },
);

t.test("Retry goes on with a flood of newcomers, whatever becomes of them", async (t) => {
  const { perSecond, calmMs } = DEFAULT_RETRY_SWITCH;
  const run = (rate: number) => {
    const retry = new RetrySwitch();
    let isOn = false;
    for (let i = 0; i < rate * 5; i++) isOn = retry.decide(0, (i * 1000) / rate);
    return { retry, isOn };
  };
  t.notOk(run(perSecond * 0.8).isOn);
  const flood = run(perSecond * 1.5);
  t.ok(flood.isOn);
  t.ok(flood.retry.decide(0, 10_000), "calm is measured from the first newcomer after the flood");
  t.notOk(flood.retry.decide(0, 10_000 + calmMs));
});

function createAdmission(retry: RetryMode, changes: Partial<AdmissionLimits> = {}) {
  return new Admission(
    {
      ...{ retry, maxConnections: 10, maxConnectionsPerSource: 3, exemptLoopback: true },
      newConnectionsPerSource: { perSecond: 1, burst: 6 },
      ...changes,
    },
    { total: 2, perSource: 1 },
  );
}

t.test("who is not proven is asked to, always, never, or where he may be forged", async (t) => {
  t.equal(createAdmission("always").decide("10.0.0.1", false, 0), "retry");
  t.equal(createAdmission("always").decide("10.0.0.1", true, 0), "accept");
  t.equal(createAdmission("never").decide("10.0.0.1", false, 0), "accept");
  const underLoad = createAdmission("under-load");
  // Somebody forges an address until its limits are used up ...
  for (let i = 0; i < 4; i++) {
    t.equal(underLoad.decide("10.0.0.1", false, 0), "accept");
    underLoad.take("10.0.0.1", false);
  }
  t.equal(underLoad.decide("10.0.0.1", false, 0), "retry");
  // ... and whoever receives there comes in all the same.
  t.equal(underLoad.decide("10.0.0.1", true, 0), "accept");
});

t.test("under load: handshakes that nobody ends turn Retry on", async (t) => {
  const admission = createAdmission("under-load", { maxConnections: 1000, maxConnectionsPerSource: 1000 });
  const places = [];
  for (let i = 0; i < DEFAULT_RETRY_SWITCH.handshakes; i++) {
    t.equal(admission.decide(`10.0.${i}.1`, false, i * 1000), "accept");
    places.push(admission.take(`10.0.${i}.1`, false));
  }
  t.equal(admission.decide("10.9.9.9", false, 40_000), "retry");
  t.equal(admission.decide("10.9.9.9", true, 40_000), "accept", "with a token");
  for (const place of places) place.handleEstablished();
  t.equal(admission.handshakes, 0);
  t.equal(admission.decide("10.9.9.9", false, 41_000), "retry", "until it has been calm");
  t.equal(admission.decide("10.9.9.9", false, 46_000), "accept");
});

t.test("limits hold in total and for each source, and places come back", async (t) => {
  const admission = createAdmission("never", { newConnectionsPerSource: { perSecond: 1, burst: 100 } });
  const join = (address: string) => {
    const verdict = admission.decide(address, true, 0);
    return verdict === "accept" ? admission.take(address, true) : verdict;
  };
  const first = ["2001:db8::1", "2001:db8::2", "2001:db8::3"].map(join);
  const spare = join("2001:db8::4");
  if (typeof spare === "string") throw new Error(spare);
  t.strictSame(spare.refusal(0), { reason: "source-full", status: 429 });
  t.equal(join("2001:db8::5"), "source-full", "not even for a refusal");
  t.not(typeof join("2001:db8:0:1::1"), "string", "the network next door");
  spare.free();
  spare.free();
  spare.handleEstablished();
  t.equal(admission.connections, 4, "a place comes back once");
  const again = join("2001:db8::6");
  const second = first[0];
  if (typeof second === "string" || typeof again === "string") throw new Error("refused");
  second?.free();
  t.equal(again.refusal(0), undefined, "there is room by now");

  const others = Array.from({ length: 8 }, (_, i) => join(`10.0.0.${i}`));
  t.equal(admission.connections, 12);
  const last = others.at(-1);
  t.strictSame(typeof last === "object" && last.refusal(0), { reason: "server-full", status: 503 });
  t.equal(join("10.0.1.1"), "server-full");
});

t.test("a source that is too fast waits; this machine does not, unless told", async (t) => {
  const verdicts = (address: string, exemptLoopback: boolean) => {
    const admission = createAdmission("never", { exemptLoopback, maxConnectionsPerSource: 100 });
    return Array.from({ length: 8 }, () => admission.decide(address, true, 0)).slice(5);
  };
  t.strictSame(verdicts("10.0.0.1", true), ["accept", "source-rate", "source-rate"]);
  t.strictSame(verdicts("127.0.0.1", true), ["accept", "accept", "accept"]);
  t.strictSame(verdicts("127.0.0.1", false), ["accept", "source-rate", "source-rate"]);
});

t.test("an unproven connection counts for its source from its handshake on", async (t) => {
  const admission = createAdmission("never");
  const places = Array.from({ length: 4 }, () => admission.take("10.0.0.1", false));
  t.equal(admission.decide("10.0.0.1", true, 0), "accept", "nobody has proven anything");
  for (const place of places) place.handleEstablished();
  t.equal(admission.decide("10.0.0.1", true, 0), "source-full");
  t.equal(places[0]?.refusal(0)?.status, 429);
  for (const place of places) place.free();
  t.strictSame([admission.connections, admission.handshakes], [0, 0]);
});

t.test("where there is no room, whoever was silent for longest gives way", async (t) => {
  const admission = createAdmission("never", { newConnectionsPerSource: { perSecond: 1, burst: 100 } });
  const { maxConnections, maxConnectionsPerSource } = admission.limits;
  const gone: string[] = [];
  const join = (name: string, address: string, heardMs: number) => {
    const place = admission.take(address, true);
    place.occupy({
      silentMs: (nowMs) => nowMs - heardMs,
      giveWay: () => void gone.push(name),
    });
    return place;
  };
  for (let i = 0; i < maxConnectionsPerSource; i++) join(`a${i}`, "10.0.0.1", 1_000 + i);
  join("b", "10.0.0.2", 0);
  const next = join("next", "10.0.0.1", 9_000);
  t.equal(next.refusal(4_900)?.reason, "source-full", "nobody was silent for long enough");
  t.same(gone, []);
  t.equal(next.refusal(9_000), undefined);
  t.same(gone, ["a0"], "of its own source");
  t.equal(next.refusal(9_000), undefined, "asked again nobody else goes");
  t.same(gone, ["a0"]);
  while (admission.connections < maxConnections) join("c", `10.1.0.${admission.connections}`, 8_000);
  const last = join("last", "10.2.0.1", 9_000);
  t.equal(last.refusal(9_000), undefined);
  t.same(gone, ["a0", "b"], "of all");
  t.equal(admission.connections, maxConnections);
  const busy = join("busy", "10.3.0.1", 5_100);
  t.equal(busy.refusal(9_000), undefined);
  t.equal(join("more", "10.3.0.2", 9_000).refusal(9_000), undefined);
  t.equal(gone.length, 4);
});
