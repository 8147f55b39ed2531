import { measureWindow } from "../usage.mjs";
import { createPayload } from "./payload.mjs";

const MAX_SAMPLES = 200_000;
/** A datagram that is not back by then is sent again; its time is not counted. */
const LOST_MS = 200;

/** Sends back what comes, on a stream or as datagrams. */
export async function serve(session, parameters, begin) {
  if (parameters.by === "datagram") {
    session.onDatagrams((batch) => {
      for (const datagram of batch) session.sendDatagram(datagram);
    });
  } else {
    session.onStream((stream) => stream.onData((part) => void stream.write(part)));
  }
  await begin;
  return measureWindow(parameters, () => {});
}

async function openPings(session, by, onPart) {
  if (by === "datagram") {
    session.onDatagrams((batch) => batch.forEach(onPart));
    return (payload) => void session.sendDatagram(payload);
  }
  const stream = await session.openBidirectional();
  stream.onData(onPart);
  return (payload) => void stream.write(payload);
}

/** One message at a time; the next leaves when the last is back. */
export async function drive(session, parameters) {
  const { by, messageBytes } = parameters;
  const payload = createPayload(messageBytes);
  let samples = [];
  let lost = 0;
  let sentAtMs = 0;
  let missingBytes = 0;
  let isDone = false;
  const ping = await openPings(session, by, (part) => {
    missingBytes -= part.byteLength;
    if (missingBytes > 0 || isDone) return;
    if (samples.length < MAX_SAMPLES) samples.push(performance.now() - sentAtMs);
    next();
  });
  const next = () => {
    missingBytes = messageBytes;
    sentAtMs = performance.now();
    ping(payload);
  };
  next();
  const timer = setInterval(() => {
    if (by !== "datagram" || performance.now() - sentAtMs < LOST_MS) return;
    lost += 1;
    next();
  }, LOST_MS);
  const usage = await measureWindow(parameters, () => {
    samples = [];
    lost = 0;
  });
  isDone = true;
  clearInterval(timer);
  samples.sort((a, b) => a - b);
  const at = (share) => samples[Math.min(samples.length - 1, Math.floor(share * samples.length))] ?? null;
  return { samples: samples.length, lost, p50Ms: at(0.5), p99Ms: at(0.99), ...usage };
}
