/** Acknowledgements and reports travel with what leaves anyway: small frames in a row cost one datagram each way. */
import { decodeDatagram } from "@sluice/protocol/wire";
import t from "tap";
import { createVirtualSession, streamFrames, streamOptions } from "./virtual-session.js";

const frames = 200;
const small = { spec: { dtype: "uint8", shape: [64], layout: "any" } } as const;

/** What the datagrams of each side hold while small frames follow each other so closely. */
async function watch(intervalMs: number, serviceMs = 0.1) {
  const session = createVirtualSession({
    seed: 1,
    up: { delayMs: 0.2 },
    down: { delayMs: 0.2 },
    serviceMs,
  });
  const stream = session.client.openStream({ ...streamOptions, ...small });
  session.runUntil(20);
  const held: Record<"client" | "server", string[]> = { client: [], server: [] };
  for (const side of ["client", "server"] as const) {
    const core = session[side];
    const { pollDatagram } = core;
    core.pollDatagram = (nowMs) => {
      const datagram = pollDatagram(nowMs);
      if (datagram) {
        const { slices, controls } = decodeDatagram(datagram.slice());
        held[side].push([...slices.map(() => "slice"), ...controls.map(({ kind }) => kind)].sort().join(" "));
      }
      return datagram;
    };
  }
  streamFrames(session, stream, { frames, intervalMs, bytes: new Uint8Array(64) });
  session.runUntil(20 + frames * intervalMs + 200);
  return { held, figures: session.client.figures, resultsWaiting: session.server.figures.resultsWaiting };
}

const count = (datagrams: readonly string[], what: string) =>
  datagrams.filter((each) => each.split(" ").includes(what)).length;

t.test("frames that follow each other closely", async (t) => {
  const { held, figures, resultsWaiting } = await watch(0.5);
  t.equal(figures.delivered, frames);
  t.equal(resultsWaiting, 0, "every result was acknowledged");
  t.equal(count(held.client, "slice"), frames);
  t.ok(count(held.client, "resultAck") > 5, `${count(held.client, "resultAck")} acknowledgements`);
  const alone = held.client.filter((each) => each === "resultAck").length;
  t.ok(alone <= 2, `${alone} acknowledgements alone: but for the first and the last they go with slices`);
  t.ok(count(held.client, "resultAck") < frames / 5, "one for several results");
  t.ok(count(held.server, "feedback") > 5, `${count(held.server, "feedback")} reports`);
  const reportsAlone = held.server.filter((each) => each === "feedback").length;
  t.ok(
    reportsAlone <= 2,
    `${reportsAlone} reports alone: but for the first and the last they go with results`,
  );
});

t.test("frames that come one by one have their acknowledgements and reports in time", async (t) => {
  const { held, figures, resultsWaiting } = await watch(40);
  t.same([figures.delivered, resultsWaiting], [frames, 0]);
  t.equal(count(held.client, "resultAck"), frames, "none waits for the next frame");
  t.ok(count(held.server, "feedback") >= frames, "nor does a report");
});

t.test("the report on a whole frame goes with its result where that follows soon", async (t) => {
  for (const serviceMs of [0.1, 3, 8]) {
    const { held } = await watch(40, serviceMs);
    const reports = held.server.filter((each) => each.includes("feedback"));
    const alone = reports.filter((each) => !each.includes("result"));
    t.same([reports.length, alone.length], [frames, 0], `${serviceMs} ms`);
  }
  const { held, figures } = await watch(40, 15);
  t.equal(figures.delivered, frames);
  t.equal(held.server.filter((each) => each === "feedback").length, frames, "else it leaves without it");
});

t.test(
  "an acknowledgement leaves with the packet that acknowledges its result in QUIC: at once after a pause",
  async (t) => {
    const session = createVirtualSession({
      seed: 1,
      up: { delayMs: 5 },
      down: { delayMs: 5 },
      serviceMs: 0.1,
    });
    const stream = session.client.openStream({ ...streamOptions, ...small });
    session.runUntil(50);
    streamFrames(session, stream, { frames: 1, intervalMs: 40, bytes: new Uint8Array(64) });
    session.runUntil(50 + 5 + 0.5 + 5 + 5 + 0.5);
    t.equal(session.client.figures.delivered, 1);
    t.equal(session.server.figures.resultsWaiting, 0, "after one and a half round trips the server has it");
  },
);
