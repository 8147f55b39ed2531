import { createSocket } from "node:dgram";
import type { Random } from "@sluice/simnet";
import type { ProcessCensus } from "./census.js";
import { Child } from "./child.js";
import { Draw } from "./draw.js";
import { mutatePacket } from "./mutate-packet.js";
import { RecordingRelay } from "./recording-relay.js";
import type { ServerAddress } from "./server-process.js";

/** Bad packets between two signs of life, few enough for the socket's buffer. */
const PACKETS_PER_PROBE = 64;
/** Addresses from which strangers send. */
const STRANGERS = 8;

export interface PacketStormResult {
  readonly packets: number;
  /** Echoes that a healthy client got while the packets came. */
  readonly probes: number;
  readonly mutations: Readonly<Record<string, number>>;
  readonly server: ProcessCensus;
  readonly client: ProcessCensus;
}

/**
 * Sends `count` bad packets, made from a real session's: to the server from strangers' addresses and from its client's
 * own, and to the client as if they came from its server. The session has to go on, and a new one has to open.
 */
export async function runPacketStorm(options: {
  random: Random;
  count: number;
  retry: "always" | "never";
}): Promise<PacketStormResult> {
  const draw = new Draw(options.random);
  const server = new Child("server-process");
  const client = new Child("client-process");
  const strangers = Array.from({ length: STRANGERS }, () => createSocket("udp4"));
  for (const socket of strangers) socket.on("error", () => {});
  let relay: RecordingRelay | undefined;
  try {
    const address = await server.call<ServerAddress>("listen", { retry: options.retry });
    relay = await RecordingRelay.start(address.port);
    const through: ServerAddress = { ...address, url: `https://127.0.0.1:${relay.port}` };
    await client.call("sequence", { server: through, count: 2 });
    await client.call("hold", through);
    for (let i = 0; i < 10; i++) await client.call("probe");
    const fromClient = [...relay.fromClient];
    const fromServer = [...relay.fromServer];

    const mutations: Record<string, number> = {};
    let probes = 0;
    for (let sent = 0; sent < options.count; sent++) {
      const isForClient = draw.chance(0.3);
      const { name, packet } = mutatePacket(draw, isForClient ? fromServer : fromClient);
      mutations[name] = (mutations[name] ?? 0) + 1;
      if (isForClient) relay.sendToClient(packet);
      else if (draw.chance(0.5)) relay.sendToServer(packet);
      else draw.pick(strangers).send(packet, address.port, "127.0.0.1");
      if (sent % PACKETS_PER_PROBE === PACKETS_PER_PROBE - 1) {
        await client.call("probe");
        probes += 1;
      }
    }
    await client.call("probe");
    await client.call("release");
    await client.call("sequence", { server: address, count: 1 });
    return {
      packets: options.count,
      probes,
      mutations,
      server: await server.call("census"),
      client: await client.call("census"),
    };
  } finally {
    for (const socket of strangers) socket.close();
    await relay?.close();
    await Promise.all([server.end(), client.end()]);
  }
}
