import t from "tap";
import {
  type ArrivedPacket,
  MAX_WAITING_PACKETS,
  PacketQueue,
  TURN_BYTES,
} from "#src/quiche/packet-queue.js";

const from = { host: "127.0.0.1", port: 1 };
const packetOf = (bytes: number, atMs: number): ArrivedPacket => ({
  packet: new Uint8Array(bytes),
  from,
  atMs,
});

/** The times of the packets of one turn. */
function takeTurn(queue: PacketQueue): number[] {
  const times: number[] = [];
  queue.takeTurn(({ atMs }) => times.push(atMs));
  return times;
}

t.test("a connection has so many packets waiting, and loses more", async (t) => {
  const queue = new PacketQueue();
  for (let i = 0; i < MAX_WAITING_PACKETS; i++) t.ok(queue.push(packetOf(1_200, i)));
  t.notOk(queue.push(packetOf(1_200, 0)));
  t.equal(queue.size, MAX_WAITING_PACKETS);
  t.equal(takeTurn(queue)[0], 0);
  t.ok(queue.push(packetOf(1_200, MAX_WAITING_PACKETS)), "there is room again");
  const rest: number[] = [];
  while (queue.size > 0) rest.push(...takeTurn(queue));
  t.equal(rest.at(-1), MAX_WAITING_PACKETS);
  t.strictSame(
    rest,
    rest.toSorted((a, b) => a - b),
    "in order",
  );
});

t.test("one turn opens so many bytes, and small packets count for more than they hold", async (t) => {
  const queue = new PacketQueue();
  for (let i = 0; i < 100; i++) queue.push(packetOf(16_384, i));
  t.equal(takeTurn(queue).length, TURN_BYTES / 16_384);
  queue.clear();
  t.equal(queue.size, 0);
  for (let i = 0; i < 100; i++) queue.push(packetOf(40, i));
  t.equal(takeTurn(queue).length, 32);
  t.equal(queue.size, 68);
});

t.test("it goes on for as long as packets come", async (t) => {
  const queue = new PacketQueue();
  const taken: number[] = [];
  let pushed = 0;
  for (let turn = 0; turn < 1_000; turn++) {
    for (let i = 0; i < 40 && queue.push(packetOf(1_200, pushed)); i++) pushed += 1;
    taken.push(...takeTurn(queue));
  }
  while (queue.size > 0) taken.push(...takeTurn(queue));
  t.equal(taken.length, pushed);
  t.ok(taken.every((time, i) => time === i));
});
