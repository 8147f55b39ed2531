// A client that does what it should not, until its process ends. Started by fork with what it does as argument.
import { performance } from "node:perf_hooks";
import process from "node:process";
import { createClient } from "../../packages/client/dist/index.js";
import { connect } from "../../packages/http3/dist/index.js";
import { connectRaw, sliceItem } from "../../packages/server/dist/test/raw-session.js";
import { openForwarder } from "./udp-forwarder.mjs";
import { openWorkload } from "./workloads.mjs";

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function open({ url, certificateHash, workload }, made = openWorkload(workload)) {
  const { stream, tensors } = await made;
  const session = await connect(url, { certificateHash });
  const client = await createClient(session);
  return { session, tensors, stream: await client.openStream({ ...stream, deadlineMs: 150 }) };
}

/**
 * Frames of one datagram each, at a rate far above what the server allows, from so many sessions that take no notice of it
 * and acknowledge nothing. One that the server closes comes back at once.
 */
const floodingSessions = 4;
const datagramBytes = 784;
const floodTickMs = 5;
/** What was not sent in so long, since others had the processors, is not caught up with. */
const catchUpMs = 50;
const tellEveryMs = 200;
/** Datagrams of a flood that were sent, or lives that have ended. */
let done = 0;

async function floodOne({ url, certificateHash, framesPerSecond }, payload) {
  const raw = await connectRaw(url, certificateHash);
  await raw.say({ hello: { versions: [1], agent: "flood" } });
  const spec = { dtype: 3, shape: [1, 28, 28], layout: 1 };
  await raw.say({ open: { stream: 1, model: "fashion", spec, codec: "raw", mode: 1, deadlineMs: 150 } });
  await raw.waitFor("accept");
  let frame = 0;
  for (let nextMs = performance.now(); ; await pause(floodTickMs)) {
    const nowMs = performance.now();
    for (nextMs = Math.max(nextMs, nowMs - catchUpMs); nextMs <= nowMs; nextMs += 1_000 / framesPerSecond) {
      const header = { stream: 1, frame, index: 0, count: 1, ageMs: 0, sequence: frame++ };
      const outcome = raw.session.sendDatagram(sliceItem(header, payload));
      if (outcome === "closed") return;
      if (outcome === "sent") done++;
    }
  }
}

async function floodAgainAndAgain(target, payload) {
  for (;;) await floodOne(target, payload).catch(() => pause(10));
}

const lifeMs = 300;
const frameEveryMs = 5;

/** The path of each life is cut while frames and results are on their way; the server hears nothing of the end. */
async function dieAgainAndAgain(target, made) {
  for (;;) {
    const { port, cut } = await openForwarder(Number(new URL(target.url).port));
    const life = await open({ ...target, url: `https://127.0.0.1:${port}` }, made);
    const timer = setInterval(() => void life.stream.send(life.tensors[0]), frameEveryMs);
    await pause(lifeMs);
    clearInterval(timer);
    cut();
    life.session.close();
    done++;
  }
}

const tellAgainAndAgain = () => setInterval(() => process.send({ done }), tellEveryMs);

const behaviours = {
  /** Sends frames and then neither reads nor acknowledges anything: the parent stops its process. */
  async stall(target) {
    const { stream, tensors } = await open(target);
    for (const tensor of tensors.slice(0, 16)) void stream.send(tensor);
    return { stopAfterMs: 20 };
  },
  async flood(target) {
    const payload = new Uint8Array(datagramBytes);
    for (let i = 0; i < floodingSessions; i++) void floodAgainAndAgain(target, payload);
    tellAgainAndAgain();
    return {};
  },
  /** Dies in the middle of its frames, and another one comes: processes would cost more than what they send. */
  async die(target) {
    const made = openWorkload(target.workload);
    await made;
    void dieAgainAndAgain(target, made);
    tellAgainAndAgain();
    return {};
  },
};

process.once("message", async (target) => {
  process.send({ ready: await behaviours[process.argv[2]](target) });
});
process.once("disconnect", () => process.exit(0));
