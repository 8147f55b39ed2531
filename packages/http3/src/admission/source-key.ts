import { isIPv4, isIPv6 } from "node:net";

const IPV4_IN_IPV6 = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i;
/** Groups of 16 bits that name a network: one customer gets a /64 at least (RFC 6177 2). */
const NETWORK_GROUPS = 4;

/** Who is counted as one source: an IPv4 address, or the first 64 bits of an IPv6 address. */
export function sourceKey(address: string): string {
  const mapped = IPV4_IN_IPV6.exec(address);
  if (mapped?.[1] !== undefined) return mapped[1];
  const bare = address.split("%", 1)[0] ?? address; // a zone is not part of the address (RFC 4007 11)
  if (isIPv4(bare) || !isIPv6(bare)) return bare;
  return `${expand(bare).slice(0, NETWORK_GROUPS).join(":")}::/64`;
}

/** Whether the peer runs on this machine. */
export function isLoopback(address: string): boolean {
  const bare = IPV4_IN_IPV6.exec(address)?.[1] ?? address;
  return isIPv4(bare) ? bare.startsWith("127.") : bare === "::1";
}

/** The eight groups of a valid IPv6 address, without leading zeros. */
function expand(address: string): string[] {
  const dotted = /(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(address);
  const plain =
    dotted === null
      ? address
      : address.slice(0, dotted.index) +
        [1, 3].map((i) => (Number(dotted[i]) * 256 + Number(dotted[i + 1])).toString(16)).join(":");
  const [head = "", tail] = plain.split("::");
  const before = head === "" ? [] : head.split(":");
  const after = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => "0");
  return [...before, ...zeros, ...after].map((group) => Number.parseInt(group, 16).toString(16));
}
