import { sluice } from "@sluice/proto";
import t from "tap";
import { createReceiverReport } from "#src/receiver-report.js";
import { createRepairer, type Repairer } from "#src/repairer.js";
import type { OutgoingFrame } from "#src/send-buffer.js";
import { createVirtualSession, sliceBytes, streamFrames, streamOptions } from "./virtual-session.js";

const patience = { rttMs: 40, rttVariationMs: 0 };

function frameOf(frame: number, count: number, expiresAtMs = 1_000): OutgoingFrame {
  const slices = sliceBytes(new Uint8Array(count * 10), 10);
  return { stream: 1, frame, capturedMs: 0, expiresAtMs, slices, split: undefined };
}

/** Sends each slice in a datagram of its own, from number `first` on. */
function send(
  repairer: Repairer,
  frame: OutgoingFrame,
  first: number,
  minReceived: number,
  nowMs: number,
): number {
  frame.slices.forEach((slice, i) => {
    repairer.sent(first + i, frame, slice, minReceived, nowMs);
  });
  return first + frame.slices.length;
}

/** Sends all slices in one datagram. */
function sendTogether(repairer: Repairer, frame: OutgoingFrame, sequence: number, nowMs: number): void {
  for (const slice of frame.slices) repairer.sent(sequence, frame, slice, 0, nowMs);
}

/** What a receiver says that got these datagrams. */
function reportOf(
  sequences: readonly number[],
  frames: readonly number[] = [],
  recovered: readonly number[] = [],
): sluice.v1.Feedback {
  const report = createReceiverReport();
  for (const sequence of sequences) report.arrived(sequence, 100, 0);
  for (const sequence of recovered) report.recovered(sequence);
  for (const frame of frames) report.frameReceived(1, frame, 1, 1, 0);
  return sluice.v1.Feedback.decode(sluice.v1.Feedback.encode(report.take(0, 65_536, 0)).finish());
}

const indicesOf = (frame: OutgoingFrame | undefined) => frame?.slices.map(({ index }) => index);

t.test("a frame of which something has come is left alone, unless its stream asks for more", async (t) => {
  for (const [minReceived, wanted] of [
    [0, undefined],
    [0.6, [1, 2, 3]],
  ] as const) {
    const repairer = createRepairer();
    const first = send(repairer, frameOf(0, 6), 0, minReceived, 0);
    send(repairer, frameOf(1, 10), first, 0, 10);
    repairer.handleReport(reportOf([0, 4, 5, 8, 13, 14, 15]), 50);
    t.same(indicesOf(repairer.poll(patience, 50)), wanted);
    t.equal(repairer.poll(patience, 50), undefined, "once");
  }
});

t.test(
  "a datagram of which nothing is heard goes again after a round trip and a bit, and again",
  async (t) => {
    const repairer = createRepairer();
    sendTogether(repairer, frameOf(0, 3), 0, 100);
    t.equal(repairer.nextTimeoutMs(patience), 146);
    t.equal(repairer.poll(patience, 145), undefined);
    const again = repairer.poll(patience, 146);
    t.same(indicesOf(again), [0, 1, 2]);
    sendTogether(repairer, again!, 1, 147);
    t.equal(repairer.poll(patience, 190), undefined, "the first copies count no more");
    t.same(indicesOf(repairer.poll(patience, 193)), [0, 1, 2]);
    t.equal(repairer.slicesRepeated, 6);
    t.equal(
      repairer.nextTimeoutMs({ rttMs: 40, rttVariationMs: 10 }) > 230,
      true,
      "an uneven path gets more time",
    );
  },
);

t.test("of a frame of several datagrams the report is gathered where the last one is lost", async (t) => {
  const repairer = createRepairer();
  send(repairer, frameOf(0, 3), 0, 0, 100);
  t.equal(repairer.nextTimeoutMs(patience), 156);
  t.equal(repairer.poll(patience, 155), undefined);
  repairer.handleReport(reportOf([0, 1]), 155);
  t.equal(repairer.poll(patience, 200), undefined, "a part of it has come");

  const lost = createRepairer();
  send(lost, frameOf(0, 3), 0, 0, 100);
  t.same(indicesOf(lost.poll(patience, 156)), [0, 1, 2], "nothing of it has come");
});

t.test("what was overtaken by enough is lost, what was overtaken by little may come", async (t) => {
  const repairer = createRepairer();
  const frame = frameOf(0, 2);
  repairer.sent(0, frame, frame.slices[0]!, 0.9, 0);
  repairer.sent(1, frame, frame.slices[1]!, 0.9, 0);
  const first = send(repairer, frameOf(1, 7), 2, 0, 1);
  repairer.handleReport(reportOf([1, 2, 3, 4, 5, 6, 7]), 45);
  t.equal(repairer.poll(patience, 45), undefined, "seven later ones");
  send(repairer, frameOf(2, 1), first, 0, 9);
  repairer.handleReport(reportOf([1, 2, 3, 4, 5, 6, 7, 9]), 46);
  t.same(indicesOf(repairer.poll(patience, 46)), [0], "one that left 9 ms later");
});

t.test("what is sent again goes once more at its time, unless it has come", async (t) => {
  for (const [arrived, copied] of [
    [[], [2, 3]],
    [[16], [3]],
    [[16, 17], undefined],
  ] as const) {
    const repairer = createRepairer();
    const frame = { ...frameOf(0, 6), copyAtMs: 90 };
    send(repairer, frame, 0, 1, 0);
    send(repairer, frameOf(1, 10), 6, 0, 10);
    const come = [0, 1, 4, 5, 15];
    repairer.handleReport(reportOf(come), 50);
    const again = repairer.poll(patience, 50)!;
    t.same(indicesOf(again), [2, 3]);
    send(repairer, again, 16, 1, 50);
    repairer.forget(1, 1);
    if (arrived.length > 0) repairer.handleReport(reportOf([...come, ...arrived]), 80);
    t.equal(repairer.poll(patience, 89), undefined);
    if (copied) t.equal(repairer.nextTimeoutMs(patience), 90);
    t.same(indicesOf(repairer.poll(patience, 90)), copied);
    t.equal(repairer.poll(patience, 90), undefined, "once");
  }
});

t.test("what repair symbols have brought back does not go again", async (t) => {
  const repairer = createRepairer();
  send(repairer, frameOf(0, 6), 0, 1, 0);
  send(repairer, frameOf(1, 10), 6, 0, 10);
  repairer.handleReport(reportOf([0, 1, 15], [], [3, 4]), 50);
  t.same(indicesOf(repairer.poll(patience, 50)), [2, 5]);
  const satisfied = createRepairer();
  send(satisfied, frameOf(0, 6), 0, 1, 0);
  satisfied.handleReport(reportOf([0, 1, 15], [], [2, 3, 4, 5]), 50);
  t.equal(satisfied.poll(patience, 500), undefined);
});

t.test("nothing goes again that was released, answered, arrived or comes too late", async (t) => {
  const ends: Record<string, (repairer: Repairer) => void> = {
    released: (repairer) => repairer.handleReport(reportOf([50], [0]), 45),
    answered: (repairer) => repairer.forget(1, 0),
    arrived: (repairer) => repairer.handleReport(reportOf([0, 1, 2]), 45),
  };
  for (const [name, end] of Object.entries(ends)) {
    const repairer = createRepairer();
    send(repairer, frameOf(0, 3), 0, 1, 0);
    end(repairer);
    t.equal(repairer.poll(patience, 500), undefined, name);
    t.equal(repairer.poll(patience, 500), undefined);
  }
  const repairer = createRepairer();
  send(repairer, frameOf(0, 3, 40), 0, 1, 0);
  t.equal(repairer.poll(patience, 500), undefined, "late");
  t.equal(repairer.nextTimeoutMs(patience), Number.POSITIVE_INFINITY);
});

t.test("a share to wait for is asked for again and waited for", async (t) => {
  const path = { delayMs: 20, rateBitsPerSecond: 20_000_000, queueMs: 100, loss: 0.2 };
  for (const minReceivedPercent of [0, 95]) {
    const session = createVirtualSession({ seed: 12, up: path, down: { ...path, loss: 0.02 } });
    const stream = session.client.openStream({ ...streamOptions, deadlineMs: 300, minReceivedPercent });
    session.runUntil(300);
    streamFrames(session, stream, { frames: 300, intervalMs: 33, bytes: new Uint8Array(5_120) });
    session.runUntil(12_000);
    const frames = session.serverEvents.filter((event) => event.type === "frame").map(({ frame }) => frame);
    const complete = frames.filter(({ unitsReceived, units }) => unitsReceived >= 0.95 * units).length;
    t.comment(`${minReceivedPercent} %: ${complete} of ${frames.length} frames`);
    t.ok(frames.length >= 299, "a frame that was lost wholly comes again in either case");
    if (minReceivedPercent === 0) t.ok(complete < 150);
    else t.ok(complete > 280);
    t.ok(session.client.figures.onTime >= 298);
  }
});
