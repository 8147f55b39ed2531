import { createSocket } from "node:dgram";
import { isIPv6 } from "node:net";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { ConnectError } from "@sluice/transport";

/** A port is looked at so often, and so far apart, until it is free. */
const ATTEMPTS = 50;
const PAUSE_MS = 20;

/** A port of the system's choice, since the binding does not tell which one it was given. */
export async function findFreePort(address: string): Promise<number> {
  try {
    return await bindOnce(address, 0);
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new ConnectError("engine", `cannot listen on ${address}: ${message}`, { cause });
  }
}

/**
 * Waits until a port is free that a server of quinn has given up. Its socket lives as long as any handle to a session
 * or a stream, and the binding lets go of these only when they are collected as garbage.
 */
export async function isPortFreeSoon(address: string, port: number): Promise<boolean> {
  const collectGarbage = findCollector();
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    if (attempt % 5 === 1) collectGarbage();
    try {
      await bindOnce(address, port);
      return true;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }
  return false;
}

function bindOnce(address: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const socket = createSocket(isIPv6(address) ? "udp6" : "udp4");
    socket.once("error", (error) => {
      socket.close();
      reject(error);
    });
    socket.bind({ address, port, exclusive: true }, () => {
      const bound = socket.address().port;
      socket.close(() => resolve(bound));
    });
  });
}

/** V8's own collector; there is no other way to ask for a collection. */
function findCollector(): () => void {
  setFlagsFromString("--expose-gc");
  const found: unknown = runInNewContext("globalThis.gc");
  setFlagsFromString("--no-expose-gc");
  return typeof found === "function" ? () => void (found as () => void)() : () => {};
}
