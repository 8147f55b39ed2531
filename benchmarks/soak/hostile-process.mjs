// The bad packets and streams of the transport's own campaign, against a server that is at work.

import { createSocket } from "node:dgram";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { connect } from "../../packages/http3/dist/index.js";
import { Child } from "../../packages/http3/dist/test/robustness/child.js";
import { Draw } from "../../packages/http3/dist/test/robustness/draw.js";
import { mutatePacket } from "../../packages/http3/dist/test/robustness/mutate-packet.js";
import { RecordingRelay } from "../../packages/http3/dist/test/robustness/recording-relay.js";
import { createRandom } from "../../packages/simnet/dist/index.js";
import { answerCommands } from "./channel.mjs";

const packetsPerTurn = 16;
const turnMs = 20;
const strangers = 4;
const streamsPerAttack = 60;

answerCommands({
  /** @returns how many were sent */
  async packets({ port, certificateHash, seconds, seed }) {
    const draw = new Draw(createRandom(seed));
    const relay = await RecordingRelay.start(port);
    const sockets = Array.from({ length: strangers }, () => createSocket("udp4"));
    for (const socket of sockets) socket.on("error", () => {});
    const session = await connect(`https://127.0.0.1:${relay.port}`, { certificateHash });
    await sleep(turnMs);
    const packets = [...relay.fromClient];
    const endMs = performance.now() + 1_000 * seconds;
    let sent = 0;
    for (; performance.now() < endMs; await sleep(turnMs)) {
      for (let i = 0; i < packetsPerTurn; i++, sent++) {
        const { packet } = mutatePacket(draw, packets);
        if (draw.chance(0.5)) relay.sendToServer(packet);
        else draw.pick(sockets).send(packet, port, "127.0.0.1");
      }
    }
    session.close();
    await session.closed;
    for (const socket of sockets) socket.close();
    await relay.close();
    return { sent };
  },
  /** @returns how many connections and streams there were, and how the server ended them */
  async streams({ port, seconds, seed }) {
    const attacker = new Child("hostile-process");
    const endMs = performance.now() + 1_000 * seconds;
    const sum = { streams: 0, connections: 0 };
    for (let i = 0; i === 0 || performance.now() < endMs; i++) {
      const attack = { seed: `${seed} ${i}`, port, count: streamsPerAttack };
      const { streams, connections } = await attacker.call("attack", attack);
      sum.streams += streams;
      sum.connections += connections;
    }
    await attacker.end();
    return sum;
  },
});
process.once("disconnect", () => process.exit(0));
