import { readFileSync } from "node:fs";
import { networkInterfaces } from "node:os";

/** What is asked of the system; tests bring their own. */
export interface InterfaceSource {
  addresses(): Readonly<
    Record<string, readonly { readonly address: string; readonly internal: boolean }[] | undefined>
  >;
  /** MTU of the interface `name` in bytes; throws where it is not known. */
  readMtu(name: string): number;
}

const SYSTEM: InterfaceSource = {
  addresses: networkInterfaces,
  // Node does not tell it; Linux has it here, and elsewhere there is no such file.
  readMtu: (name) => Number(readFileSync(`/sys/class/net/${name}/mtu`, "latin1")),
};
const ANY_ADDRESS = ["0.0.0.0", "::"];

/**
 * The largest IP packet, in bytes, that leaves a socket bound to `localHost` in one piece; `undefined` where the system
 * does not say. A socket bound to any address may send through each interface: the least counts.
 */
export function interfaceMtu(localHost: string, source: InterfaceSource = SYSTEM): number | undefined {
  const isAny = ANY_ADDRESS.includes(localHost);
  let least: number | undefined;
  for (const [name, addresses = []] of Object.entries(source.addresses())) {
    if (!addresses.some(({ address, internal }) => (isAny ? !internal : address === localHost))) continue;
    try {
      least = Math.min(least ?? Number.POSITIVE_INFINITY, source.readMtu(name));
    } catch {
      // Not known.
    }
  }
  return least;
}
