// Load for the throughput: sessions that speak the wire by hand and cost as little as that can, for they run on the
// cores of the server. Slices are encoded beforehand; each session keeps so many frames under way, packs what it may
// send into as few datagrams as hold it, and acknowledges results. Started by fork, as clients.mjs is.
import { performance } from "node:perf_hooks";
import process from "node:process";
import { prepareCodec } from "../../packages/codec/dist/index.js";
import { decodeDatagram } from "../../packages/protocol/dist/datagram.js";
import { connectRaw } from "../../packages/server/dist/test/raw-session.js";
import { sluice } from "../../proto/gen/sluice.js";
import { openWorkload } from "./workloads.mjs";

const { ControlMessage, SliceHeader } = sluice.v1;
const dtypes = { float32: 1, uint8: 3 };
const done = 1;
const maxSliceBytes = 1_100;
/** A frame that has no result by then was lost. */
const lostAfterMs = 1_000;
const maxAcknowledged = 64;
const pingIntervalMs = 250;

/** The slices of some frames, as `{ index, count, payload }`. */
async function encodeFrames({ stream, tensors }) {
  const codec = await prepareCodec(stream.codec);
  return tensors.map(
    (tensor) => codec.createEncoder(stream.spec).encode(tensor, maxSliceBytes, { frame: 0 }).slices,
  );
}

function varint(value) {
  return value < 128 ? Uint8Array.of(value) : Uint8Array.of((value & 127) | 128, value >> 7);
}

/** Slices packed into datagrams of at most so many bytes. */
function* pack(slices, maxBytes, nextSequence) {
  let parts = [];
  let bytes = 0;
  for (const { frame, index, count, payload } of slices) {
    const isFirst = parts.length === 0 || bytes + payload.length + 32 > maxBytes;
    if (isFirst && parts.length > 0) yield Buffer.concat(parts);
    if (isFirst) [parts, bytes] = [[], 0];
    const header = SliceHeader.encode({
      ...{ stream: 1, frame, index, count, ageMs: 0, payloadBytes: payload.length },
      ...(isFirst ? { sequence: nextSequence() } : {}),
    }).finish();
    const item = [varint(header.length), header, payload];
    parts.push(...item);
    bytes += header.length + 2 + payload.length;
  }
  if (parts.length > 0) yield Buffer.concat(parts);
}

async function openSession({ url, certificateHash, underWay, deadlineMs }, { stream, frames }, onDone) {
  const raw = await connectRaw(url, certificateHash);
  const { model, split, codec, spec } = stream;
  await raw.say({ hello: { versions: [1] } });
  await raw.say({
    open: {
      ...{ stream: 1, model, split, codec, mode: 1, deadlineMs },
      spec: { dtype: dtypes[spec.dtype], shape: [...spec.shape], layout: 1 },
    },
  });
  await raw.waitFor("accept");
  const waiting = new Map();
  let next = 0;
  let sequence = 0;
  let isOn = false;

  function fill() {
    if (!isOn) return;
    const slices = [];
    while (waiting.size < underWay) {
      for (const slice of frames[next % frames.length]) slices.push({ ...slice, frame: next });
      waiting.set(next++, performance.now());
    }
    for (const datagram of pack(slices, raw.session.maxDatagramBytes, () => sequence++))
      raw.session.sendDatagram(datagram);
  }

  raw.session.onDatagrams((batch) => {
    const acknowledged = [];
    for (const datagram of batch) {
      for (const { kind, body } of decodeDatagram(datagram).controls) {
        if (kind === "ping") say({ pong: { id: body.id } });
        if (kind !== "result") continue;
        acknowledged.push(body.frame);
        if (waiting.delete(body.frame)) onDone(body.outcome === done);
      }
    }
    for (let at = 0; at < acknowledged.length; at += maxAcknowledged)
      say({ resultAck: { stream: 1, frames: acknowledged.slice(at, at + maxAcknowledged) } });
    fill();
  });

  function say(message) {
    const body = ControlMessage.encode(message).finish();
    raw.session.sendDatagram(Buffer.concat([Buffer.of(0), varint(body.length), body]));
  }

  setInterval(() => {
    const nowMs = performance.now();
    for (const [frame, sentMs] of waiting) if (nowMs - sentMs > lostAfterMs) waiting.delete(frame);
    fill();
  }, 100);
  return {
    set isOn(value) {
      isOn = value;
      fill();
    },
    say,
  };
}

process.once("message", async (options) => {
  const workload = await openWorkload(options.workload);
  const stream = { split: "", ...workload.stream };
  const frames = await encodeFrames({ stream, tensors: workload.tensors });
  let succeeded = 0;
  let failed = 0;
  const onDone = (isDone) => (isDone ? succeeded++ : failed++);
  const sessions = [];
  for (let i = 0; i < options.sessions; i++)
    sessions.push(await openSession(options, { stream, frames }, onDone));
  // A client that is there sends pings.
  setInterval(() => {
    for (const session of sessions) session.say({ ping: { id: 1 } });
  }, pingIntervalMs);
  process.on("message", async ({ seconds, warmUpSeconds }) => {
    for (const session of sessions) session.isOn = true;
    await new Promise((resolve) => setTimeout(resolve, warmUpSeconds * 1_000));
    [succeeded, failed] = [0, 0];
    const startMs = performance.now();
    await new Promise((resolve) => setTimeout(resolve, seconds * 1_000));
    const framesPerSecond = (succeeded * 1_000) / (performance.now() - startMs);
    const result = { framesPerSecond, failed };
    for (const session of sessions) session.isOn = false;
    process.send({ result });
  });
  process.send({ ready: true });
});
process.once("disconnect", () => process.exit(0));
