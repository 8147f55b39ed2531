import { once } from "node:events";
import { createServer } from "node:http";
import nodeDataChannel from "node-datachannel";
import { createAnswers } from "./answers.mjs";
import { cutMessage, createMessageJoiner } from "./message-parts.mjs";

/** Fits the packets of 1,280 B that libdatachannel sends, so that a part is one packet. */
const PART_BYTES = 1150;
/** What may wait in a channel; a tensor that finds more waits before it. */
const MAX_BUFFERED_BYTES = 1 << 20;
const OPEN_TIMEOUT_MS = 10_000;
/** Unreliable: nothing is sent again, nothing waits for what was sent before it. */
const channelOptions = { unordered: true, maxRetransmits: 0 };

export const system = {
  name: "data-channel",
  title: "WebRTC data channel",
  transport: "udp",
  about: `node-datachannel (libdatachannel, usrsctp), unordered without retransmissions, tensors cut into messages of at most ${PART_BYTES} B by the application`,
};

/** A connection whose description holds all its candidates once it is told. */
function openPeer(name, host) {
  const peer = new nodeDataChannel.PeerConnection(name, { iceServers: [], bindAddress: host });
  const described = new Promise((resolve) => {
    peer.onGatheringStateChange((state) => {
      if (state === "complete") resolve(peer.localDescription());
    });
  });
  return { peer, described };
}

/** Sends parts, as many at once as the channel's buffer takes. */
function createSender(channel) {
  let hasRoom;
  channel.setBufferedAmountLowThreshold(MAX_BUFFERED_BYTES / 2);
  channel.onBufferedAmountLow(() => hasRoom?.());
  let last = Promise.resolve();
  const sendAll = async (frame, bytes) => {
    for (const part of cutMessage(frame, bytes, PART_BYTES)) {
      if (channel.bufferedAmount() > MAX_BUFFERED_BYTES) {
        await new Promise((resolve) => {
          hasRoom = resolve;
        });
      }
      channel.sendMessageBinary(part);
    }
  };
  return (frame, bytes) => {
    const sent = last.then(() => sendAll(frame, bytes));
    last = sent.catch(() => {});
    return sent;
  };
}

const asBytes = (message) => (message instanceof ArrayBuffer ? new Uint8Array(message) : message);

/** The offer comes by an HTTP request, the answer goes back by it: signalling is no part of what is measured. */
export async function serve({ host, onTensor }) {
  const peers = new Set();
  const take = async (sdp) => {
    const { peer, described } = openPeer("server", host);
    peers.add(peer);
    peer.onDataChannel((channel) => {
      const send = createSender(channel);
      const join = createMessageJoiner(async (frame, bytes) => {
        const answer = await onTensor(frame, bytes, { receivedShare: 1 });
        await send(frame, answer).catch(() => {});
      });
      channel.onMessage((message) => join(asBytes(message)));
    });
    peer.setRemoteDescription(sdp, "offer");
    return described;
  };
  const signalling = createServer(async (request, response) => {
    let sdp = "";
    for await (const part of request.setEncoding("utf8")) sdp += part;
    response.end((await take(sdp)).sdp);
  });
  signalling.listen(0, host);
  await once(signalling, "listening");
  return {
    address: { host, port: signalling.address().port },
    async close() {
      for (const peer of peers) peer.close();
      signalling.closeAllConnections();
      signalling.close();
      await once(signalling, "close");
    },
  };
}

/** @param {{ host: string, port: number, localHost?: string }} address where signalling listens, and from where we send */
export async function connect({ host, port, localHost = host.startsWith("127.") ? host : undefined }) {
  const { peer, described } = openPeer("client", localHost);
  const channel = peer.createDataChannel("tensors", channelOptions);
  const opened = new Promise((resolve) => channel.onOpen(resolve));
  const { sdp } = await described;
  const response = await fetch(`http://${host}:${port}`, { method: "POST", body: sdp });
  peer.setRemoteDescription(await response.text(), "answer");
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error("the data channel did not open")), OPEN_TIMEOUT_MS);
  });
  await Promise.race([opened, late]).finally(() => clearTimeout(timer));

  const answers = createAnswers();
  const join = createMessageJoiner((frame, bytes) => answers.give(frame, bytes));
  channel.onMessage((message) => join(asBytes(message)));
  const sendParts = createSender(channel);
  return {
    send(frame, bytes, { signal } = {}) {
      const answered = answers.wait(frame, signal);
      sendParts(frame, bytes).catch((error) => answers.fail(frame, error));
      return answered;
    },
    close() {
      answers.failAll(new Error("closed"));
      channel.close();
      peer.close();
    },
  };
}
