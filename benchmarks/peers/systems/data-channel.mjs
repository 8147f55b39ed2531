import { once } from "node:events";
import { createServer } from "node:http";
import nodeDataChannel from "node-datachannel";
import { createPending } from "./framing.mjs";
import { createMessageJoiner, cutMessage } from "./message-parts.mjs";

/** Fits the packets of 1,280 B that libdatachannel sends, so that a part is one packet. */
const PART_BYTES = 1150;
/** What may wait in a channel; a tensor that finds more waits before it. */
const MAX_BUFFERED_BYTES = 1 << 20;
const OPEN_TIMEOUT_MS = 10_000;
/** Unreliable: nothing is sent again, nothing waits for what was sent before it. */
const channelOptions = { unordered: true, maxRetransmits: 0 };

export const about = `node-datachannel (libdatachannel, usrsctp), unordered, nothing sent again, tensors cut by us into messages of ${PART_BYTES} B`;

/** A connection; `described` resolves to its description with all its candidates. */
function openPeer(name, host) {
  const peer = new nodeDataChannel.PeerConnection(name, { iceServers: [], bindAddress: host });
  const described = new Promise((resolve) => {
    peer.onGatheringStateChange((state) => {
      if (state === "complete") resolve(peer.localDescription());
    });
  });
  return { peer, described };
}

/**
 * Without the candidates: a server that knows them asks at once, and libdatachannel gives a client up that is asked before
 * it has the answer. So the client asks, and the server learns from that where it is.
 */
const withoutCandidates = (sdp) =>
  sdp
    .split("\r\n")
    .filter((line) => !line.startsWith("a=candidate:") && line !== "a=end-of-candidates")
    .join("\r\n");

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
        const answer = await onTensor(frame, bytes);
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
    close() {
      for (const peer of peers) peer.close();
      signalling.closeAllConnections();
      signalling.close();
    },
  };
}

export async function connect({ host, port }) {
  // Without an address to bind to, loopback is no candidate.
  const { peer, described } = openPeer("client", host.startsWith("127.") ? host : undefined);
  const channel = peer.createDataChannel("tensors", channelOptions);
  const opened = new Promise((resolve) => channel.onOpen(resolve));
  const { sdp } = await described;
  const response = await fetch(`http://${host}:${port}`, { method: "POST", body: withoutCandidates(sdp) });
  peer.setRemoteDescription(await response.text(), "answer");
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error("the data channel did not open")), OPEN_TIMEOUT_MS);
  });
  await Promise.race([opened, late]).finally(() => clearTimeout(timer));

  const pending = createPending();
  const join = createMessageJoiner(pending.answer);
  channel.onMessage((message) => join(asBytes(message)));
  const sendParts = createSender(channel);
  return {
    /** A tensor of which a part was lost never gets an answer: at its deadline it gives its place up. */
    async send(frame, bytes, { deadlineMs }) {
      const timer = setTimeout(() => pending.drop(frame, "deadline"), deadlineMs);
      const answered = pending.wait(frame);
      sendParts(frame, bytes).catch(pending.failAll);
      try {
        return await answered;
      } finally {
        clearTimeout(timer);
      }
    },
    close() {
      channel.close();
      peer.close();
    },
  };
}
