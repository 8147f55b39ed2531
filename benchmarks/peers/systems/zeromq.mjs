import { Dealer, Router } from "zeromq";
import { createAnswers } from "./answers.mjs";

/** Messages that wait in each socket; more are held back by `send`. */
const HIGH_WATER_MARK = 64;
const queues = { sendHighWaterMark: HIGH_WATER_MARK, receiveHighWaterMark: HIGH_WATER_MARK };

export const system = {
  name: "zeromq",
  title: "ZeroMQ",
  transport: "tcp",
  about: "zeromq.js 6 (libzmq 4.3), DEALER to ROUTER, a message of two parts for each tensor, unencrypted",
};

export async function serve({ host, onTensor }) {
  const router = new Router({ ...queues, linger: 0 });
  await router.bind(`tcp://${host}:*`);
  const address = { endpoint: router.lastEndpoint };
  const answerLater = async (identity, header, bytes) => {
    const answer = await onTensor(header.readUInt32BE(0), bytes, { receivedShare: 1 });
    await send([identity, header, answer]);
  };
  // A socket takes one send at a time.
  let last = Promise.resolve();
  const send = (parts) => {
    last = last.then(() => router.send(parts));
    return last;
  };
  const serving = (async () => {
    for await (const [identity, header, bytes] of router) answerLater(identity, header, bytes).catch(() => {});
  })().catch(() => {});
  return {
    address,
    async close() {
      router.close();
      await serving;
    },
  };
}

export async function connect({ endpoint }) {
  const dealer = new Dealer({ ...queues, linger: 0 });
  dealer.connect(endpoint);
  const answers = createAnswers();
  const receiving = (async () => {
    for await (const [header, answer] of dealer) answers.give(header.readUInt32BE(0), answer);
  })().catch(() => {});
  let last = Promise.resolve();
  return {
    send(frame, bytes, { signal } = {}) {
      const answered = answers.wait(frame, signal);
      const header = Buffer.allocUnsafe(4);
      header.writeUInt32BE(frame);
      last = last.then(() => dealer.send([header, bytes])).catch((error) => answers.fail(frame, error));
      return answered;
    },
    async close() {
      answers.failAll(new Error("closed"));
      dealer.close();
      await receiving;
    },
  };
}
