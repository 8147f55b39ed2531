import t from "tap";
import { createFlight } from "#src/flight.js";
import { maxTrackedDatagrams } from "#src/limits.js";
import { createIntegers } from "./integers.js";

t.test("what is reported or passed over has left the path", async (t) => {
  const flight = createFlight();
  for (let sequence = 0; sequence < 4; sequence++) flight.sent(sequence, 100 + sequence, sequence);
  t.equal(flight.unreceivedBytes, 406);
  flight.reportedUpTo(2);
  t.equal(flight.unreceivedBytes, 205);
  flight.reportedUpTo(1);
  t.equal(flight.unreceivedBytes, 205, "an old report takes nothing back");
  flight.reportedUpTo(0xffffffff);
  t.equal(flight.unreceivedBytes, 0);
  flight.sent(4, 50, 4);
  t.equal(flight.unreceivedBytes, 50, "a report about the future says nothing about what is sent later");
});

t.test("what is too old to be on its way is given up", async (t) => {
  const flight = createFlight();
  flight.sent(0, 10, 100);
  flight.sent(1, 20, 200);
  flight.expire(100);
  t.equal(flight.unreceivedBytes, 30);
  flight.expire(150);
  t.equal(flight.unreceivedBytes, 20);
  flight.expire(1_000);
  flight.reportedUpTo(2);
  t.equal(flight.unreceivedBytes, 0);
});

t.test("datagrams are remembered for a while, and nothing else is found", async (t) => {
  const flight = createFlight();
  t.equal(flight.lookUp(0), undefined);
  for (let sequence = 0; sequence < maxTrackedDatagrams + 10; sequence++) flight.sent(sequence, 10, sequence);
  t.equal(flight.unreceivedBytes, 10 * maxTrackedDatagrams, "more than can be tracked is not counted");
  t.same(flight.lookUp(10), { sentMs: 10, bytes: 10 });
  for (const unknown of [-1, 9, maxTrackedDatagrams + 10, 0xffffffff])
    t.equal(flight.lookUp(unknown), undefined);
});

t.test("never negative, never stuck, and equal to a plain list", async (t) => {
  const seed = 6;
  t.comment(`seed ${seed}`);
  const integers = createIntegers(seed);
  for (let round = 0; round < 100; round++) {
    const flight = createFlight();
    let way: { sequence: number; bytes: number; sentMs: number }[] = [];
    let next = 0;
    for (let step = 0; step < 300; step++) {
      const choice = integers.between(0, 5);
      if (choice < 3) {
        const bytes = integers.between(1, 1_500);
        flight.sent(next, bytes, step);
        way.push({ sequence: next++, bytes, sentMs: step });
      } else if (choice < 5) {
        const end = integers.between(0, next + 3);
        flight.reportedUpTo(end);
        way = way.filter(({ sequence }) => sequence >= end);
      } else {
        const since = step - integers.between(0, 100);
        flight.expire(since);
        way = way.filter(({ sentMs }) => sentMs >= since);
      }
      const expected = way.reduce((sum, { bytes }) => sum + bytes, 0);
      if (flight.unreceivedBytes !== expected)
        return t.fail(`${flight.unreceivedBytes}, expected ${expected}`);
    }
    flight.expire(1e9);
    if (flight.unreceivedBytes !== 0) return t.fail("stuck");
  }
  t.pass("100 rounds");
});
