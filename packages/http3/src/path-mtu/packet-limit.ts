import { isIPv6 } from "node:net";
import { isLoopback } from "../admission/source-key.js";

/** Of most networks that are no tunnel. */
const ETHERNET_MTU_BYTES = 1500;
/** Headers of IP and UDP (RFC 791 3.1, RFC 8200 3, RFC 768). */
const IPV4_HEADER_BYTES = 20 + 8;
const IPV6_HEADER_BYTES = 40 + 8;
/** UDP payload of packets between processes of one machine: see the levels of `PacketSizeSearch`. */
const LOOPBACK_BYTES = 15_872;
/** A round trip that only peers on one machine have; what is further away on its addresses is a relay. */
const LOCAL_RTT_MS = 8;

/** Whether a peer runs on this machine. `rttMs`: a round trip that was measured, what the peer did in it included. */
export function isLocalPeer(peer: string, rttMs: number): boolean {
  return rttMs < LOCAL_RTT_MS && isLoopback(peer);
}

/**
 * The largest packet that is worth a probe, in bytes of UDP payload. None leaves the machine that is larger than its
 * interface takes: Node cannot set the flag that forbids fragments (RFC 9000 14), and what arrives in pieces proves nothing.
 *
 * @param isLocal see {@link isLocalPeer}.
 * @param maxPacketBytes what the application allows, `undefined` to leave it to the path.
 * @param interfaceMtuBytes see `interfaceMtu`; `undefined` where it is not known.
 */
export function packetLimit(
  peer: string,
  isLocal: boolean,
  maxPacketBytes: number | undefined,
  interfaceMtuBytes: number | undefined,
): number {
  const ethernetBytes = ETHERNET_MTU_BYTES - headerBytes(peer);
  if (isLoopback(peer)) return maxPacketBytes ?? (isLocal ? LOOPBACK_BYTES : ethernetBytes);
  const interfaceBytes = (interfaceMtuBytes ?? Number.POSITIVE_INFINITY) - headerBytes(peer);
  return Math.min(maxPacketBytes ?? ethernetBytes, interfaceBytes);
}

function headerBytes(peer: string): number {
  return isIPv6(peer) && !peer.toLowerCase().startsWith("::ffff:") ? IPV6_HEADER_BYTES : IPV4_HEADER_BYTES;
}
