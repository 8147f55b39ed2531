import t from "tap";
import { AckDelay } from "#src/quiche/ack-delay.js";
import { DeliveryGate } from "#src/quiche/delivery-gate.js";

t.test("a batch leaves at once after a pause, and a steady stream of them is bounded", async (t) => {
  const gate = new DeliveryGate();
  let taken = 0;
  const pass = (nowMs: number) => {
    const passed = gate.tryPass(nowMs, taken);
    if (passed) taken += 1; // A main thread that has nothing else to do.
    return passed;
  };
  let burst = 0;
  while (burst < 100 && pass(1000)) burst += 1;
  t.equal(burst, 16, "after a pause");
  t.notOk(pass(1000));
  t.ok(pass(1000.2), "one each 0.2 ms");
  t.notOk(pass(1000.2));
  let passed = 0;
  for (let us = 0; us < 1_000_000; us += 50) if (pass(2000 + us / 1000)) passed += 1;
  t.ok(passed >= 5000 && passed <= 5016, `${passed} batches in a second of tries each 50 us`);
});

t.test("a thread that is behind gets no more batches until it has taken one", async (t) => {
  const gate = new DeliveryGate();
  for (let i = 0; i < 4; i++) t.ok(gate.tryPass(10, 0));
  t.notOk(gate.tryPass(11, 0));
  t.notOk(gate.tryPass(60_000, 0), "however long it takes");
  t.ok(gate.tryPass(60_001, 1));
  t.notOk(gate.tryPass(60_002, 1));
  t.ok(gate.tryPass(60_003, 5));
});

t.test("one packet's acknowledgement waits for an answer, the second packet's does not", async (t) => {
  const acks = new AckDelay();
  t.notOk(acks.mayWait(0), "nothing came");
  t.equal(acks.deadlineMs, Number.POSITIVE_INFINITY);
  acks.handlePacket(100);
  t.ok(acks.mayWait(100));
  t.equal(acks.deadlineMs, 102);
  t.ok(acks.mayWait(101.9));
  t.notOk(acks.mayWait(102), "no answer came");
  acks.handlePacket(101);
  t.notOk(acks.mayWait(101), "RFC 9000 13.2.2: two packets");
  t.equal(acks.deadlineMs, 102, "the first one counts");
  acks.handleSent();
  t.equal(acks.deadlineMs, Number.POSITIVE_INFINITY);
  acks.handlePacket(200);
  t.ok(acks.mayWait(201));
});
