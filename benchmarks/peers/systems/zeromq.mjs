import { Dealer, Router } from "zeromq";
import { createPending, packFrame, unpackFrame } from "./framing.mjs";

/** Messages that wait in each socket; `send` waits for room. */
const HIGH_WATER_MARK = 64;
const queues = { sendHighWaterMark: HIGH_WATER_MARK, receiveHighWaterMark: HIGH_WATER_MARK, linger: 0 };
/** An answer has no bytes of its own before its part. */
const noBytes = new Uint8Array(0);

export const about =
  "zeromq.js 6 on libzmq 4.3, DEALER to ROUTER, a message of two parts for each tensor, no CURVE";

/** A socket takes one message at a time. @returns what sends one after another */
function createSender(socket) {
  let last = Promise.resolve();
  return (parts) => {
    last = last.then(() => socket.send(parts));
    return last;
  };
}

export async function serve({ host, onTensor }) {
  const router = new Router(queues);
  await router.bind(`tcp://${host}:*`);
  const send = createSender(router);
  const answer = async ([identity, header, bytes]) => {
    await send([identity, header, await onTensor(unpackFrame(header).frame, bytes)]);
  };
  void (async () => {
    for await (const message of router) answer(message).catch(() => {});
  })().catch(() => {});
  return { address: { endpoint: router.lastEndpoint }, close: () => router.close() };
}

export async function connect({ endpoint }) {
  const dealer = new Dealer(queues);
  dealer.connect(endpoint);
  const pending = createPending();
  const send = createSender(dealer);
  void (async () => {
    for await (const [header, answer] of dealer) pending.answer(unpackFrame(header).frame, answer);
  })().catch(pending.failAll);
  return {
    send(frame, bytes) {
      const answered = pending.wait(frame);
      send([packFrame(frame, noBytes), bytes]).catch(pending.failAll);
      return answered;
    },
    close: () => dealer.close(),
  };
}
