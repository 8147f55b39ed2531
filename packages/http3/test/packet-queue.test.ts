import t from "tap";
import {
  type ArrivedPacket,
  MAX_WAITING_PACKETS,
  PacketQueue,
  TURN_PACKETS,
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

t.test("one turn opens so many packets, of large ones half as many", async (t) => {
  const queue = new PacketQueue();
  for (let i = 0; i < 100; i++) queue.push(packetOf(16_384, i));
  t.equal(takeTurn(queue).length, TURN_PACKETS / 2);
  queue.clear();
  t.equal(queue.size, 0);
  for (let i = 0; i < 100; i++) queue.push(packetOf(40, i));
  t.equal(takeTurn(queue).length, TURN_PACKETS);
  t.equal(queue.size, 100 - TURN_PACKETS);
});

t.test("the memory of a large packet is given back once it was handed out, and not before", async (t) => {
  const queue = new PacketQueue();
  const packets = Array.from({ length: 20 }, (_, i) => packetOf(16_384, i));
  for (const packet of packets) queue.push(packet);
  const seen: number[] = [];
  queue.takeTurn(({ packet }) => seen.push(packet.byteLength));
  t.strictSame(seen, new Array<number>(16).fill(16_384));
  t.strictSame(
    packets.map(({ packet }) => packet.byteLength > 0),
    packets.map((_, i) => i >= 16),
  );
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
