// Runs in a page: a camera that streams to the model `sink` and counts what becomes of its frames.
import { createReconnectingClient } from "@sluice/client";
import { connect } from "@sluice/client/browser";
import { createTensor } from "@sluice/tensor";

const shape = [8, 8, 80];
const connectMs = 10_000;
const settleMs = 60_000;
const bytes = Uint8Array.from({ length: 5_120 }, (_, i) => (i * 31) & 0xff);
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

const counts = { offered: 0, admitted: 0, dropped: 0, delivered: 0, expired: 0, onTime: 0, thrown: 0 };
const reasons = { dropped: {}, expired: {} };
let client;
let isOffering = true;
let offering;

export async function open({ url, certificateHash, deadlineMs, framesPerSecond }) {
  client = await createReconnectingClient({
    connect: () =>
      connect(url, { certificateHashes: [certificateHash], fallback: false, timeoutMs: connectMs }),
    maxMs: 1_000,
  });
  const stream = await client.openStream({
    model: "sink",
    spec: { dtype: "uint8", shape, layout: "any" },
    deadlineMs,
  });
  offering = (async () => {
    while (isOffering) {
      void offer(stream);
      await sleep(1_000 / framesPerSecond);
    }
  })();
}

async function offer(stream) {
  counts.offered++;
  try {
    const { status, reason, onTime } = await stream.send(createTensor("uint8", shape, bytes, "any"));
    counts[status]++;
    if (status !== "dropped") counts.admitted++;
    if (status === "delivered") counts.onTime += onTime ? 1 : 0;
    else reasons[status][reason] = (reasons[status][reason] ?? 0) + 1;
  } catch {
    counts.thrown++;
  }
}

export const delivered = () => counts.delivered;

export async function finish() {
  isOffering = false;
  await offering;
  const endMs = performance.now() + settleMs;
  const ended = () => counts.dropped + counts.delivered + counts.expired + counts.thrown;
  while (ended() < counts.offered && performance.now() < endMs) await sleep(20);
  const { sessions, inFlight } = client.figures();
  client.close();
  const { dropped: dropReasons, expired: expiryReasons } = reasons;
  return { ...counts, corrupt: 0, sessions, inFlight, dropReasons, expiryReasons };
}
