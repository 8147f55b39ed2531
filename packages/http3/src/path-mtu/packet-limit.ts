import { isIPv6 } from "node:net";
import { isLoopback } from "../admission/source-key.js";

/** The most that packets to a peer may hold, in bytes of UDP payload. */
const ETHERNET_BYTES = { ipv4: 1472, ipv6: 1452 };
const LOOPBACK_BYTES = 15_872;
/** A round trip that only peers on one machine have; what is further away on its addresses is a relay. */
const LOCAL_RTT_MS = 4;

/** Whether a peer runs on this machine. `rttMs`: a round trip that was measured, what the peer did in it included. */
export function isLocalPeer(peer: string, rttMs: number): boolean {
  return rttMs < LOCAL_RTT_MS && isLoopback(peer);
}

/**
 * The largest packet that is worth a probe. Nothing above Ethernet's 1,500 bytes leaves the machine unasked: Node
 * cannot set the flag that forbids fragments (RFC 9000 14), so a larger probe would arrive in pieces and prove nothing.
 *
 * @param isLocal see {@link isLocalPeer}.
 * @param maxPacketBytes what the application allows, `undefined` to leave it to the path.
 */
export function packetLimit(peer: string, isLocal: boolean, maxPacketBytes: number | undefined): number {
  if (maxPacketBytes !== undefined) return maxPacketBytes;
  if (isLocal) return LOOPBACK_BYTES;
  return isIPv6(peer) && !peer.toLowerCase().startsWith("::ffff:")
    ? ETHERNET_BYTES.ipv6
    : ETHERNET_BYTES.ipv4;
}
