// A UDP port for servers that come one after another: the system gives none of these to whoever binds meanwhile.

import { randomInt } from "node:crypto";
import { createSocket } from "node:dgram";
import { once } from "node:events";

/** Below what Linux (32768) and the IANA (49152) have for sockets that do not mind. */
const [firstPort, portsEnd] = [20_000, 30_000];
const attempts = 50;

/** A port of this range that is free on the loopback address. */
export async function findReservedPort() {
  for (let i = 0; i < attempts; i++) {
    const port = randomInt(firstPort, portsEnd);
    if (await isFree(port)) return port;
  }
  throw new Error(`no UDP port is free among ${attempts} from ${firstPort} to ${portsEnd}`);
}

async function isFree(port) {
  const socket = createSocket("udp4");
  const failed = once(socket, "error").then(() => false);
  const bound = new Promise((resolve) => {
    socket.bind({ port, address: "127.0.0.1", exclusive: true }, () => resolve(true));
  });
  const result = await Promise.race([bound, failed]);
  if (result) socket.close();
  return result;
}
