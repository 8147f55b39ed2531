import { createSocket, type Socket } from "node:dgram";
import { lookup as resolveName } from "node:dns/promises";
import { once } from "node:events";
import { isIP } from "node:net";

/** A UDP endpoint. */
export interface HostPort {
  /** Name or address. */
  readonly host: string;
  /** 0 to 65535; 0 lets the system choose (for `listen` only). */
  readonly port: number;
}

/** IP and UDP headers, so that rates and MTUs mean what they mean on a wire. */
export const HEADER_BYTES = { 4: 28, 6: 48 } as const;
export type Family = keyof typeof HEADER_BYTES;

/** Asked of the system, which may give less. */
const SOCKET_BUFFER_BYTES = 4 * 1024 * 1024;

/** The address of a name, or the literal itself. */
export async function resolveHost(
  host: string,
): Promise<{ readonly address: string; readonly family: Family }> {
  const literal = isIP(host);
  if (literal === 4 || literal === 6) return { address: host, family: literal };
  const { address, family } = await resolveName(host);
  return { address, family: family === 6 ? 6 : 4 };
}

/** A socket for addresses of one family, with large buffers: a burst must wait here rather than be lost. */
export function openSocket(family: Family): Socket {
  return createSocket({
    type: family === 6 ? "udp6" : "udp4",
    recvBufferSize: SOCKET_BUFFER_BYTES,
    sendBufferSize: SOCKET_BUFFER_BYTES,
    // Addresses only reach it, so it answers at once: the default goes through a thread for every packet.
    lookup: (host, _options, callback) => callback(null, host, family),
  });
}

/** Binds and waits until it is done; on an error closes the socket and rejects. */
export async function bindSocket(socket: Socket, port: number, address?: string): Promise<void> {
  const listening = once(socket, "listening");
  if (address === undefined) socket.bind(port);
  else socket.bind(port, address);
  try {
    await listening;
  } catch (error) {
    socket.close();
    throw error;
  }
}
