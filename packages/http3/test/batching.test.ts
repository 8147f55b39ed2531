import t from "tap";
import { AckDelay } from "#src/quiche/ack-delay.js";
import { RECEIVE_QUEUE_DATAGRAMS } from "#src/quiche/config.js";
import { unpackDatagrams } from "#src/quiche/datagram-pack.js";
import { DeliveryGate } from "#src/quiche/delivery-gate.js";
import type { ToMain } from "#src/quiche/messages.js";
import { Outbox } from "#src/quiche/outbox.js";

t.test("a batch leaves at once after a pause, and a steady stream of them is bounded", async (t) => {
  const gate = new DeliveryGate();
  let taken = 0;
  const pass = (nowMs: number) => {
    if (!gate.mayPass(nowMs, taken)) return false;
    gate.pass(1);
    taken += 1; // A main thread that has nothing else to do.
    return true;
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
  const pass = (nowMs: number, taken: number) => {
    const may = gate.mayPass(nowMs, taken);
    if (may) gate.pass(1);
    return may;
  };
  for (let i = 0; i < 4; i++) t.ok(pass(10, 0));
  t.notOk(pass(11, 0));
  t.notOk(pass(60_000, 0), "however long it takes");
  t.ok(pass(60_001, 1));
  t.notOk(pass(60_002, 1));
  t.ok(pass(60_003, 5));
});

t.test("what a thread has not taken leaves room for so many datagrams", async (t) => {
  const gate = new DeliveryGate();
  t.ok(gate.mayPass(10, 0));
  gate.pass(100);
  t.ok(gate.mayPass(20, 0));
  t.equal(gate.room, 28);
  gate.pass(40);
  t.ok(gate.mayPass(30, 0), "others' may leave");
  t.equal(gate.room, -12);
  t.ok(gate.mayPass(40, 1), "the first batch is taken");
  t.equal(gate.room, 88);
});

t.test("some packets' acknowledgement waits for an answer, that of many does not", async (t) => {
  const acks = new AckDelay();
  t.notOk(acks.mayWait(0), "nothing came");
  t.equal(acks.deadlineMs, Number.POSITIVE_INFINITY);
  acks.handlePacket(74, 100);
  t.ok(acks.mayWait(100));
  t.equal(acks.deadlineMs, 102);
  t.ok(acks.mayWait(101.9));
  t.notOk(acks.mayWait(102), "no answer came");
  for (let packets = 2; packets < 8; packets++) {
    acks.handlePacket(1_472, 101);
    t.ok(acks.mayWait(101), `${packets} packets`);
  }
  t.equal(acks.deadlineMs, 102, "the first one counts");
  acks.handlePacket(74, 101);
  t.notOk(acks.mayWait(101), "RFC 9000 13.2.2: as many as eight");
  acks.handleSent();
  acks.handlePacket(15_872, 150);
  t.ok(acks.mayWait(150), "one packet, whatever its length");
  acks.handlePacket(74, 150);
  t.notOk(acks.mayWait(150), "two large ones");
  acks.handleSent();
  t.equal(acks.deadlineMs, Number.POSITIVE_INFINITY);
  acks.handlePacket(74, 200);
  t.ok(acks.mayWait(201));
});

t.test(
  "an acknowledgement that comes with data asks for no packet of its own, a row of them does",
  async (t) => {
    const acks = new AckDelay();
    acks.handlePacket(41, 100);
    t.notOk(acks.mayWait(100), "the window may have opened for what waits in the engine");
    acks.handlePacket(74, 100);
    t.ok(acks.mayWait(100), "the answer will acknowledge");
    acks.handlePacket(41, 100);
    t.notOk(acks.mayWait(100));
    acks.handleSent();
    acks.handlePacket(74, 110);
    acks.handlePacket(41, 111);
    t.ok(acks.mayWait(111.9));
    t.equal(acks.deadlineMs, 112);
  },
);

/** An outbox and what it posted; `take` plays the main thread. */
function createOutbox() {
  const posted: ToMain[][] = [];
  let taken = 0;
  const take = () => {
    taken = posted.length;
  };
  return {
    outbox: new Outbox(
      (messages) => void posted.push([...messages]),
      new DeliveryGate(),
      () => taken,
    ),
    posted,
    take,
  };
}

t.test("datagrams leave before the end of their session", async (t) => {
  const { outbox, posted } = createOutbox();
  outbox.pushDatagram(1, Uint8Array.of(1));
  outbox.pushDatagram(2, Uint8Array.of(2));
  outbox.push({ type: "closed", session: 1, info: { code: 0, reason: "", by: "remote" } });
  outbox.push({ type: "gone", session: 1 });
  outbox.flush(1);
  const order = posted.flat().map((message) => ("session" in message ? [message.type, message.session] : []));
  t.strictSame(order, [
    ["datagrams", 1],
    ["closed", 1],
    ["gone", 1],
    ["datagrams", 2],
  ]);
});

/** The first bytes of a session's datagrams, in the order in which they were posted. */
function receivedOf(session: number, posted: readonly ToMain[][]): (number | undefined)[] {
  return posted
    .flat()
    .flatMap((m) => (m.type === "datagrams" && m.session === session ? unpackDatagrams(m.pack) : []))
    .map(([first]) => first);
}

t.test("a main thread that is behind gets larger batches, then loses datagrams", async (t) => {
  const { outbox, posted, take } = createOutbox();
  let sent = 0;
  const push = () => outbox.pushDatagram(1, Uint8Array.of(sent++ & 0xff));
  for (let nowMs = 0; nowMs < 10; nowMs++) {
    t.ok(push());
    outbox.flush(nowMs);
  }
  t.equal(posted.length, 4);
  let kept = 6;
  while (push()) kept += 1;
  t.equal(kept, RECEIVE_QUEUE_DATAGRAMS, "what waits is bounded");
  t.ok(outbox.pushDatagram(2, Uint8Array.of(1)), "and leaves room for others");
  take();
  outbox.flush(100);
  t.equal(posted.length, 5);
  t.equal(receivedOf(1, posted).length, 4 + 128, "no more than is read in a moment");
  t.ok(push(), "there is room again");
  for (let nowMs = 101; receivedOf(1, posted).length < RECEIVE_QUEUE_DATAGRAMS + 5; nowMs++) {
    take();
    outbox.flush(nowMs);
    if (nowMs > 200) break;
  }
  const numbers = Array.from({ length: RECEIVE_QUEUE_DATAGRAMS + 4 }, (_, i) => i & 0xff);
  t.strictSame(receivedOf(1, posted).slice(0, -1), numbers, "in order");
  take();
  outbox.flush(300);
});

t.test("who floods the main thread does not keep the others' datagrams waiting, nor out", async (t) => {
  const { outbox, posted, take } = createOutbox();
  const floods = [1, 2, 3, 4];
  let lost = 0;
  for (let i = 0; i < 4 * RECEIVE_QUEUE_DATAGRAMS; i++)
    if (!outbox.pushDatagram(floods[i % 4]!, Uint8Array.of(i & 0xff))) lost += 1;
  t.ok(lost > 2 * RECEIVE_QUEUE_DATAGRAMS, `${lost} lost`);
  for (let i = 0; i < 20; i++) t.ok(outbox.pushDatagram(5, Uint8Array.of(i)), "the others have room");
  outbox.flush(1);
  const [first] = posted;
  t.match(first?.[0], { type: "datagrams", session: 5 }, "who has sent little is first");
  t.equal(receivedOf(5, posted).length, 20);
  t.ok(outbox.pushDatagram(6, Uint8Array.of(9)));
  outbox.flush(2);
  t.strictSame(receivedOf(6, posted), [9], "nor does the main thread have to have read what they sent");
  t.strictSame(
    floods.map((session) => receivedOf(session, posted).length),
    [32, 32, 32, 32],
    "who take equal turns",
  );
  for (let nowMs = 3; nowMs < 100; nowMs++) {
    take();
    outbox.flush(nowMs);
  }
  const all = floods.reduce((sum, session) => sum + receivedOf(session, posted).length, 0);
  t.equal(all, 4 * RECEIVE_QUEUE_DATAGRAMS - lost, "until nothing is left");
});
