import { ErrorCode, ProtocolError } from "@sluice/protocol";
import { createRandom } from "@sluice/simnet";
import t from "tap";
import { decodeDatagram } from "#src/datagram.js";
import { createFecReceiver } from "#src/fec/fec-receiver.js";
import { createFecSender, fecReserveBytes } from "#src/fec/fec-sender.js";
import { reedSolomon } from "#src/fec/reed-solomon.js";
import { encodeRepairPayload, encodeSourceSymbol } from "#src/fec/repair-payload.js";
import { maxFecBytes, maxFecGroups, maxHeldDatagrams } from "#src/limits.js";
import { createSendBuffer, type OutgoingFrame } from "#src/send-buffer.js";
import type { SliceHeader } from "#src/slice-header.js";
import { sliceBytes } from "../virtual-session.js";

const options = { code: "rs", maxPercent: 50, span: 1 } as const;
const maxBytes = 200;
const need = { isWanted: true, latestMs: 0 };

interface Sent {
  readonly sequence: number;
  readonly bytes: Uint8Array;
  readonly isRepair: boolean;
}

/** The datagrams of frames of one stream, with the symbols behind each. */
function sendFrames(frames: readonly Uint8Array[], share = 0.2): Sent[] {
  const sender = createFecSender(reedSolomon);
  sender.open(1, options);
  const sent: Sent[] = [];
  const send = (frame: OutgoingFrame, isRepair: boolean) => {
    const buffer = createSendBuffer();
    buffer.push(frame);
    while (buffer.bytes > 0) {
      const datagram = new Uint8Array(maxBytes);
      const slices: Parameters<typeof sender.sent>[2][number][] = [];
      const sequence = sent.length;
      const end = buffer.fill(datagram, 0, maxBytes, sequence, 0, (each, slice) =>
        slices.push({ frame: each, slice }),
      );
      const bytes = datagram.subarray(0, end);
      if (end === 0) throw new Error("a slice that fits no datagram");
      sent.push({ sequence, bytes, isRepair });
      if (!isRepair) sender.sent(sequence, bytes, slices);
    }
  };
  for (const [number, bytes] of frames.entries()) {
    const slices = sliceBytes(bytes, maxBytes - 24 - fecReserveBytes);
    const frame = {
      ...{ stream: 1, frame: number, capturedMs: 0, expiresAtMs: 1, slices },
      ...{ split: undefined, reserveBytes: fecReserveBytes },
    };
    send(frame, false);
    const parity = sender.end(frame, need, { share, meanRun: 2 }, 0);
    if (parity) send(parity, true);
  }
  return sent;
}

function repairIn({ bytes }: Sent): { header: SliceHeader; payload: Uint8Array } {
  return decodeDatagram(bytes).slices[0]!;
}

t.test("what is lost comes back where as many symbols came, in any order", async (t) => {
  const seed = 33;
  t.comment(`seed ${seed}`);
  const random = createRandom(seed);
  for (let round = 0; round < 40; round++) {
    const frames = Array.from({ length: 3 }, () =>
      Uint8Array.from({ length: 1 + Math.floor(random.next() * 4_000) }, () =>
        Math.floor(random.next() * 256),
      ),
    );
    const sent = sendFrames(frames);
    const receiver = createFecReceiver(reedSolomon);
    const kept = sent.filter(() => random.next() >= 0.15);
    if (round % 2 === 1) kept.sort(() => random.next() - 0.5);
    const back = new Map<number, Uint8Array[]>();
    for (const datagram of kept) {
      const repair = datagram.isRepair ? repairIn(datagram) : undefined;
      const recovered = repair
        ? receiver.repair(repair.header, repair.payload, datagram.sequence, options).recovered
        : receiver.hold(datagram.sequence, datagram.bytes);
      for (const { sequence, slices } of recovered) {
        t.notOk(back.has(sequence), "once");
        back.set(
          sequence,
          slices.map(({ payload }) => payload),
        );
      }
    }
    t.equal(receiver.datagramsRecovered, back.size);
    // By group: the sources between two runs of symbols.
    let group: Sent[] = [];
    let symbols = 0;
    const judge = () => {
      const missing = group.filter((each) => !kept.includes(each));
      const expected = missing.length <= symbols ? missing : [];
      for (const each of missing) {
        const original = decodeDatagram(each.bytes).slices.map(({ payload }) => payload);
        if (expected.includes(each)) t.same(back.get(each.sequence), original);
        else t.notOk(back.has(each.sequence));
      }
      group = [];
      symbols = 0;
    };
    for (const [i, each] of sent.entries()) {
      if (!each.isRepair && i > 0 && sent[i - 1]!.isRepair) judge();
      if (!each.isRepair) group.push(each);
      else if (kept.includes(each)) symbols++;
    }
    judge();
    t.equal(receiver.bytes <= maxFecBytes, true);
  }
});

/** A frame and its symbols, and what a receiver says to the last of what it gets. */
function receive(
  lost: readonly number[],
  change: (symbol: { header: SliceHeader; payload: Uint8Array }) => void = () => {},
) {
  const sent = sendFrames([new Uint8Array(900).fill(9)], 0.1);
  const receiver = createFecReceiver(reedSolomon);
  for (const each of sent)
    if (!each.isRepair && !lost.includes(each.sequence)) receiver.hold(each.sequence, each.bytes);
  const symbols = sent.filter(({ isRepair }) => isRepair);
  return {
    ...{ receiver, sent, symbols },
    repair(i: number) {
      const symbol = repairIn(symbols[i]!);
      const copy = { header: { ...symbol.header }, payload: symbol.payload.slice() };
      change(copy);
      return receiver.repair(copy.header, copy.payload, symbols[i]!.sequence, options);
    },
  };
}

t.test("symbols that are not needed, come twice or come too late do nothing", async (t) => {
  const whole = receive([]);
  t.equal(whole.repair(0).receipt, "unneeded");
  const lacking = receive([1, 2]);
  t.ok(lacking.symbols.length >= 2);
  t.same(lacking.repair(0), { receipt: "taken", recovered: [] });
  t.same(lacking.repair(0), { receipt: "duplicate", recovered: [] });
  t.same(
    lacking.repair(1).recovered.map(({ sequence }) => sequence),
    [1, 2],
  );
  t.same(lacking.repair(1), { receipt: "unneeded", recovered: [] }, "a replay");
  const late = receive([1]);
  late.receiver.hold(maxHeldDatagrams + 1, late.sent[0]!.bytes);
  t.same(late.repair(0), { receipt: "late", recovered: [] });
});

t.test("symbols that lie bring nothing back and leave nothing behind", async (t) => {
  for (const [name, change] of [
    ["other bytes", ({ payload }) => payload.set([payload[5]! ^ 1], 5)],
    ["another length", ({ payload }) => payload.set([payload[2]! ^ 1], 2)],
    ["another stream", ({ header }) => Object.assign(header, { stream: 2 })],
    ["another row", ({ header }) => Object.assign(header, { index: 1 })],
  ] as [string, (symbol: { header: SliceHeader; payload: Uint8Array }) => void][]) {
    const { repair, receiver } = receive([1], change);
    t.same(repair(0), { receipt: "refused", recovered: [] }, name);
    t.equal(receiver.symbols, 0);
  }
  let calls = 0;
  for (const field of ["stream", "frame"] as const) {
    calls = 0;
    const { repair, receiver } = receive([1, 2], ({ header }) => {
      if (calls++ > 0) Object.assign(header, { [field]: 5 });
    });
    t.equal(repair(0).receipt, "taken");
    t.equal(repair(1).receipt, "refused", `${field} that is not that of the first symbol`);
    t.equal(receiver.symbols, 1);
  }
});

t.test("symbols that no sender can send end the session", async (t) => {
  for (const [name, repair, offsets] of [
    ["protects itself", 0, [0]],
    ["protects what is to come", 2, [0, 1, 2]],
    ["from before the first", 11, [0]],
    ["too far back", 2_049, [0]],
  ] as const) {
    const receiver = createFecReceiver(reedSolomon);
    const header = {
      stream: 1,
      frame: 0,
      index: 0,
      count: 1,
      ageMs: 0,
      payloadBytes: undefined,
      sequence: undefined,
    };
    const payload = encodeRepairPayload({ offsets, parity: new Uint8Array(9) });
    const sequence = repair > 100 ? 5_000 : 10;
    t.throws(() => receiver.repair({ ...header, repair }, payload, sequence, options), { code: 7 }, name);
    t.equal(receiver.symbols, 0);
  }
});

t.test("what is held stays bounded, whatever comes", async (t) => {
  const receiver = createFecReceiver(reedSolomon);
  const header = {
    stream: 1,
    frame: 0,
    index: 0,
    count: 1,
    ageMs: 0,
    payloadBytes: undefined,
    sequence: undefined,
  };
  const parity = encodeSourceSymbol(new Uint8Array(60_000));
  for (let i = 0; i < 5_000; i++) {
    receiver.hold(4 * i, new Uint8Array(1_000));
    const payload = encodeRepairPayload({ offsets: [0, 1, 2], parity });
    receiver.repair({ ...header, repair: 3, index: i % 128 }, payload, 4 * i + 3, options);
    if (
      receiver.bytes > maxFecBytes ||
      receiver.datagrams > maxHeldDatagrams ||
      receiver.symbols > maxFecGroups
    )
      t.fail(`${receiver.bytes} bytes, ${receiver.datagrams} datagrams, ${receiver.symbols} symbols`);
  }
  t.ok(receiver.bytes > maxFecBytes / 2);
  receiver.hold(0xffffffff, new Uint8Array(65_000));
  t.same([receiver.datagrams, receiver.symbols, receiver.bytes], [1, 0, 65_000], "a jump forgets all");
  for (let i = 0; i < 200; i++) receiver.hold(0xffffffff - i, new Uint8Array(65_000));
  t.ok(receiver.bytes <= maxFecBytes);
  receiver.clear();
  t.same([receiver.datagrams, receiver.symbols, receiver.bytes], [0, 0, 0]);
});

t.test("whatever bytes come as symbols, they are dropped or end the session", async (t) => {
  const seed = 34;
  t.comment(`seed ${seed}`);
  const random = createRandom(seed);
  const below = (limit: number) => Math.floor(random.next() * limit);
  const receiver = createFecReceiver(reedSolomon);
  const ends = { refused: 0, dropped: 0 };
  for (let i = 0; i < 3_000; i++) {
    if (random.next() < 0.5)
      receiver.hold(
        i,
        new Uint8Array(1 + below(60)).map(() => below(256)),
      );
    const payload = new Uint8Array(below(80)).map((_, place) => (place === 0 ? below(4) : below(256)));
    const header = {
      ...{
        stream: 1 + below(2),
        frame: below(3),
        index: below(300),
        count: 300,
        ageMs: 0,
        repair: below(40),
      },
      ...{ payloadBytes: undefined, sequence: undefined },
    };
    try {
      const code = below(2) === 0 ? ("rs" as const) : ("xor" as const);
      t.same(receiver.repair(header, payload, i, { ...options, code }).recovered, []);
      ends.dropped++;
    } catch (error) {
      if (!(error instanceof ProtocolError) || error.code !== ErrorCode.malformedDatagram) throw error;
      ends.refused++;
    }
  }
  t.comment(JSON.stringify(ends));
  t.ok(ends.refused > 500 && ends.dropped > 100);
  t.ok(receiver.bytes <= maxFecBytes);
});
