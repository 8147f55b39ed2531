/** What forward error correction and sending again make of lossy links, on virtual time (spec 5.8, 5.9). */
import t from "tap";
import { createVirtualSession, streamFrames, streamOptions } from "../virtual-session.js";

// Minutes of virtual time: a busy machine takes its while.
t.setTimeout(240_000);

interface Cell {
  readonly bytes: number;
  readonly loss: number;
  readonly burst: number;
  readonly fec: string;
  readonly minReceivedPercent?: number;
  readonly delayMs?: number;
  readonly seconds: number;
  readonly seed: number;
}

/** Shares of the admitted frames that were in time, and that were whole, or nearly, in time. */
function stream({ bytes, loss, burst, fec, minReceivedPercent = 0, delayMs = 20, seconds, seed }: Cell) {
  const path = { delayMs, rateBitsPerSecond: 20_000_000, queueMs: 100, loss, burst };
  const session = createVirtualSession({ seed, up: path, down: path });
  const spec = { ...streamOptions.spec, shape: [bytes] };
  const alias = session.client.openStream({ ...streamOptions, spec, fec, minReceivedPercent });
  session.runUntil(300);
  const frames = { frames: 30 * seconds, intervalMs: 1_000 / 30, bytes: new Uint8Array(bytes) };
  streamFrames(session, alias, frames);
  session.runUntil(300 + seconds * 1_000 + 500);
  const { figures } = session.client;
  const received = session.clientEvents.flatMap((event) =>
    event.type === "delivered" && event.onTime
      ? [1 - event.result.concealedElements / event.result.elements]
      : [],
  );
  const share = (least: number) => received.filter((each) => each >= least).length / figures.admitted;
  const summary = {
    ...{ onTime: received.length / figures.admitted, whole: share(1), nearly: share(0.9) },
    ...{ admitted: figures.admitted, repairsSent: figures.repairsSent, again: figures.slicesRepeated },
    recovered: session.server.figures.slicesRecovered,
  };
  t.comment(
    `${JSON.stringify({ bytes, loss, burst, fec, minReceivedPercent, delayMs, seed })}: ${JSON.stringify(summary)}`,
  );
  t.equal(figures.offered, figures.dropped + figures.expired + figures.delivered);
  t.equal(session.server.state, "open");
  t.ok(
    session.server.nextTimeoutMs() > session.clock.now(),
    "what was held for symbols is forgotten in time",
  );
  return { ...summary, figures, server: session.server.figures, events: session.clientEvents };
}

t.test(
  "large tensors: parity makes frames whole that lost datagrams, for its share of the goodput",
  async (t) => {
    for (const [burst, wholeBefore, wholeWith, nearlyMore] of [
      [4, 0.5, 0.85, 0.04],
      // Single losses leave nearly every frame its nine tenths, with parity or without.
      [1, 0.1, 0.95, -0.01],
    ] as const) {
      const cell = { bytes: 100_352, loss: 0.05, burst, seconds: 5, seed: 41 };
      const without = stream({ ...cell, fec: "" });
      const parity = stream({ ...cell, fec: "rs:max=15" });
      t.ok(without.whole < wholeBefore, `${without.whole} without`);
      t.ok(parity.whole > wholeWith, `${parity.whole} with`);
      t.ok(parity.nearly > without.nearly + nearlyMore, `nearly: ${without.nearly}, ${parity.nearly}`);
      t.ok(parity.onTime > without.onTime - 0.02, `in time ${parity.onTime}`);
      t.ok(parity.admitted > 0.8 * without.admitted, `${parity.admitted} of ${without.admitted} frames`);
      t.equal(without.repairsSent, 0);
      const recovered = parity.events.reduce(
        (sum, event) => sum + (event.type === "delivered" ? event.result.slicesRecovered : 0),
        0,
      );
      t.ok(recovered > 0 && recovered <= parity.recovered, "results say how many slices were recovered");
    }
  },
);

t.test("no parity is sent before a loss, and little where little is lost", async (t) => {
  const cell = { bytes: 50_000, burst: 1, fec: "rs:max=15", seconds: 4, seed: 42 };
  t.equal(stream({ ...cell, loss: 0 }).repairsSent, 0);
  const little = stream({ ...cell, loss: 0.003 });
  const much = stream({ ...cell, loss: 0.05 });
  t.ok(little.repairsSent > 0 && little.repairsSent < 0.7 * much.repairsSent);
  // 43 datagrams a frame.
  t.ok(much.repairsSent <= 0.16 * 43 * much.admitted, `${much.repairsSent} symbols: the bound is kept`);
});

t.test("XOR repairs what is lost alone", async (t) => {
  const cell = { bytes: 20_000, loss: 0.02, burst: 1, seconds: 4, seed: 43 };
  const without = stream({ ...cell, fec: "" });
  const xor = stream({ ...cell, fec: "xor:max=30" });
  // Of twelve seeds the least is 0.94.
  t.ok(without.whole < 0.8 && xor.whole > 0.93, `${without.whole}, ${xor.whole}`);
});

t.test("5 KB, 30 frames a second, 5 % in bursts, 150 ms: in time and whole", async (t) => {
  const cell = { bytes: 5_120, loss: 0.05, burst: 4, seconds: 15, seed: 44 };
  const without = stream({ ...cell, fec: "" });
  t.ok(without.whole < 0.96, `${without.whole}`);
  const again = stream({ ...cell, fec: "", minReceivedPercent: 100 });
  t.ok(again.whole >= 0.975, `sent again: ${again.whole}`);
  const both = stream({ ...cell, fec: "rs:max=100", minReceivedPercent: 100 });
  t.ok(both.whole >= 0.98 && both.whole >= again.whole, `either: ${both.whole}`);
  t.ok(both.again > again.again, "what is sent again goes twice");
  t.equal(both.repairsSent, 0, "at 20 ms each way what is lost comes again in time");
});

t.test("where a round trip is too long parity takes over from sending again", async (t) => {
  const cell = { bytes: 5_120, loss: 0.05, burst: 4, seconds: 15, seed: 45, delayMs: 50 };
  const again = stream({ ...cell, fec: "", minReceivedPercent: 100 });
  const both = stream({ ...cell, fec: "rs:max=100", minReceivedPercent: 100 });
  const cheap = stream({ ...cell, fec: "rs:max=40,span=2" });
  t.ok(both.repairsSent > 0);
  t.ok(both.whole > 0.97 && both.whole > again.whole + 0.02, `${again.whole}, with parity ${both.whole}`);
  t.ok(cheap.whole > again.whole, `over two frames ${cheap.whole}`);
  t.equal(both.again, 0, "what would come too late is not sent again");
});

t.test("streams with and without parity share a session", async (t) => {
  const path = { delayMs: 20, rateBitsPerSecond: 20_000_000, queueMs: 100, loss: 0.05, burst: 2 };
  const session = createVirtualSession({ seed: 46, up: path, down: { delayMs: 20 } });
  const open = (fec: string) => session.client.openStream({ ...streamOptions, fec });
  const aliases = [open("rs:max=100"), open(""), open("xor:max=100")];
  session.runUntil(300);
  for (const [i, alias] of aliases.entries()) {
    session.runUntil(300 + i);
    streamFrames(session, alias, { frames: 120, intervalMs: 33, bytes: new Uint8Array(5_120) });
  }
  session.runUntil(4_900);
  t.equal(session.server.state, "open");
  const whole = aliases.map(
    (alias) =>
      session.clientEvents.filter(
        (event) =>
          event.type === "delivered" && event.frame.stream === alias && event.result.concealedElements === 0,
      ).length,
  );
  t.comment(`seed 46: whole ${whole}`);
  t.ok(whole[0]! > 113 && whole[2]! > whole[1]! && whole[1]! < 111, `${whole}`);
  const { repairs } = session.server.figures;
  t.equal(repairs.refused, 0);
  t.ok(repairs.taken > 0 && repairs.unneeded > 0);
});
