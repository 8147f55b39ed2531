// Load for the throughput: sessions that speak the wire by hand and cost as little as that can, for they run on the
// cores of the server. Slices are encoded beforehand; each session keeps so many frames under way and packs what it may
// send, the acknowledgements of results included, into as few datagrams as hold it. Started by fork, as clients.mjs is.
import { performance } from "node:perf_hooks";
import process from "node:process";
import { connectRaw } from "../../packages/server/dist/test/raw-session.js";
import { sluice } from "../../proto/gen/sluice.js";
import { encodeTensors, openWorkload } from "./workloads.mjs";

const { ControlMessage, SliceHeader } = sluice.v1;
const dtypes = { float32: 1, uint8: 3 };
const done = 1;
/** How a control message that is a result begins, and the fields of one, by number (control.proto). */
const resultTag = (9 << 3) | 2;
const [frameField, outcomeField] = [2, 3];
/** A frame that has no result by then was lost. */
const lostAfterMs = 1_000;
const maxAcknowledged = 64;
const pingIntervalMs = 250;

/** Numbers of frames and datagrams begin here: as varints they have three bytes for two million of them. */
const firstNumber = 16_384;

function writeNumber(into, at, value) {
  into[at] = (value & 127) | 128;
  into[at + 1] = ((value >> 7) & 127) | 128;
  into[at + 2] = value >> 14;
}

/** A slice as it is sent, with room for its frame's number, and where it is first in its datagram for that one's. */
function itemOf({ index, count, payload }, isFirst) {
  const encode = (frame, sequence) => {
    const numbers = isFirst ? { frame, sequence } : { frame };
    const header = { stream: 1, index, count, ageMs: 0, payloadBytes: payload.length, ...numbers };
    const bytes = SliceHeader.encode(header).finish();
    return Buffer.concat([Buffer.of(bytes.length), bytes, payload]);
  };
  const bytes = encode(firstNumber, firstNumber);
  // Where the numbers stand is seen by changing them.
  const placeOf = (other) => bytes.findIndex((byte, i) => byte !== other[i]);
  const sequenceAt = isFirst ? placeOf(encode(firstNumber, firstNumber + 1)) : -1;
  return { bytes, frameAt: placeOf(encode(firstNumber + 1, firstNumber)), sequenceAt };
}

/** The slices of some frames, each as it stands first in a datagram and behind others. */
async function encodeFrames(workload) {
  const frames = await encodeTensors(workload);
  return frames.map((slices) =>
    slices.map((slice) => ({ first: itemOf(slice, true), later: itemOf(slice, false) })),
  );
}

/** Packs slices and control messages into datagrams of at most so many bytes, each of which is sent before the next one is made. */
function createPacker(session) {
  // Sending copies it.
  const datagram = new Uint8Array(65_536);
  let bytes = 0;
  let hasSlice = false;
  let sequence = firstNumber;

  function flush() {
    if (bytes > 0) session.sendDatagram(datagram.subarray(0, bytes));
    bytes = 0;
    hasSlice = false;
  }

  return {
    addSlice({ first, later }, frame) {
      if (bytes > 0 && bytes + first.bytes.length > session.maxDatagramBytes) flush();
      const item = hasSlice ? later : first;
      datagram.set(item.bytes, bytes);
      writeNumber(datagram, bytes + item.frameAt, frame);
      if (!hasSlice) writeNumber(datagram, bytes + item.sequenceAt, sequence++);
      hasSlice = true;
      bytes += item.bytes.length;
    },
    addControl(message) {
      const body = ControlMessage.encode(message).finish();
      if (bytes > 0 && bytes + 3 + body.length > session.maxDatagramBytes) flush();
      datagram[bytes++] = 0;
      if (body.length > 127) datagram[bytes++] = (body.length & 127) | 128;
      datagram[bytes++] = body.length > 127 ? body.length >> 7 : body.length;
      datagram.set(body, bytes);
      bytes += body.length;
    },
    flush,
  };
}

function readVarint(cursor) {
  let value = 0;
  for (let place = 1; ; place *= 128) {
    const byte = cursor.bytes[cursor.at++];
    value += (byte & 127) * place;
    if (byte < 128) return value;
  }
}

/**
 * Reads what a client needs of the control messages in a datagram: of a result the frame and the outcome, which stand at
 * its begin, of anything else whether it is a ping. Decoding whole answers would take from the server's processors.
 */
function readControls(bytes, onResult, onPing) {
  const cursor = { bytes, at: 0 };
  while (cursor.at < bytes.length) {
    if (readVarint(cursor) !== 0) throw new Error("a server sends no slices");
    const length = readVarint(cursor);
    const end = cursor.at + length;
    if (bytes[cursor.at] === resultTag) {
      cursor.at++;
      readVarint(cursor);
      let frame = 0;
      let outcome = 0;
      while (cursor.at < end && bytes[cursor.at] >> 3 <= outcomeField) {
        const field = bytes[cursor.at++] >> 3;
        const value = readVarint(cursor);
        if (field === frameField) frame = value;
        else if (field === outcomeField) outcome = value;
      }
      onResult(frame, outcome);
    } else {
      const { ping } = ControlMessage.decode(bytes.subarray(cursor.at, end));
      if (ping) onPing(ping.id);
    }
    cursor.at = end;
  }
}

async function openSession({ url, certificateHash, underWay, deadlineMs }, { stream, frames }, onDone) {
  // On this thread, which does next to nothing: each packet would have to be handed on to it and back.
  const raw = await connectRaw(url, certificateHash, "caller");
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
  const packer = createPacker(raw.session);
  let next = firstNumber;
  let isOn = false;

  /** Sends what is packed with as many frames as are missing. */
  function fill() {
    while (isOn && waiting.size < underWay) {
      for (const slice of frames[next % frames.length]) packer.addSlice(slice, next);
      waiting.set(next++, performance.now());
    }
    packer.flush();
  }

  raw.session.onDatagrams((batch) => {
    const acknowledged = [];
    const onResult = (frame, outcome) => {
      acknowledged.push(frame);
      if (waiting.delete(frame)) onDone(outcome === done);
    };
    for (const datagram of batch)
      readControls(datagram, onResult, (id) => packer.addControl({ pong: { id } }));
    for (let at = 0; at < acknowledged.length; at += maxAcknowledged)
      packer.addControl({ resultAck: { stream: 1, frames: acknowledged.slice(at, at + maxAcknowledged) } });
    fill();
  });

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
    ping() {
      packer.addControl({ ping: { id: 1 } });
      packer.flush();
    },
  };
}

process.once("message", async (options) => {
  const workload = await openWorkload(options.workload);
  const stream = { split: "", ...workload.stream };
  const frames = await encodeFrames(workload);
  let succeeded = 0;
  let failed = 0;
  const onDone = (isDone) => (isDone ? succeeded++ : failed++);
  const sessions = [];
  for (let i = 0; i < options.sessions; i++)
    sessions.push(await openSession(options, { stream, frames }, onDone));
  // A client that is there sends pings.
  setInterval(() => {
    for (const session of sessions) session.ping();
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
