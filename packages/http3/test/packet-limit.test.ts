import t from "tap";
import { interfaceMtu } from "#src/path-mtu/interface-mtu.js";
import { isLocalPeer, packetLimit } from "#src/path-mtu/packet-limit.js";

t.test("packets fit Ethernet, whichever IP is under them", async (t) => {
  t.equal(packetLimit("192.0.2.1", false, undefined, undefined), 1472);
  t.equal(packetLimit("2001:db8::1", false, undefined, undefined), 1452);
  t.equal(
    packetLimit("::ffff:192.0.2.1", false, undefined, undefined),
    1472,
    "IPv4 seen through a socket for both",
  );
});

t.test("they are large on one machine, and what the application says everywhere", async (t) => {
  t.equal(packetLimit("127.0.0.1", true, undefined, undefined), 15_872);
  t.equal(packetLimit("127.0.0.1", true, 1250, undefined), 1250);
  t.equal(packetLimit("192.0.2.1", false, 9000, undefined), 9000);
});

t.test("a peer is on this machine by its address and by how fast it answers", async (t) => {
  for (const address of ["127.0.0.1", "127.8.9.1", "::1", "::ffff:127.0.0.1"]) {
    t.equal(isLocalPeer(address, 0.5), true, address);
    t.equal(isLocalPeer(address, 8), false, `${address} behind a relay`);
  }
  t.equal(isLocalPeer("192.0.2.1", 0.5), false, "a neighbour");
});

t.test("no packet is larger than the interface that it leaves by", async (t) => {
  t.equal(packetLimit("192.0.2.1", false, undefined, 1420), 1392);
  t.equal(packetLimit("2001:db8::1", false, undefined, 1420), 1372);
  t.equal(packetLimit("192.0.2.1", false, undefined, 9000), 1472, "jumbo frames are asked for by option");
  t.equal(packetLimit("192.0.2.1", false, 16_000, 9000), 8972);
  t.equal(packetLimit("127.0.0.1", true, undefined, 1420), 15_872, "but on the machine itself");
});

t.test("the interface is found by its address, or is the least of all that a socket may use", async (t) => {
  const at = (address: string, internal = false) => ({ address, internal });
  const mtus: Record<string, number> = { lo: 65_536, eth0: 1500, wg0: 1420 };
  const source = {
    addresses: () => ({
      ...{ lo: [at("127.0.0.1", true)], eth0: [at("192.0.2.7"), at("2001:db8::7")] },
      ...{ wg0: [at("10.0.0.7")], odd: [at("203.0.113.7")] },
    }),
    readMtu(name: string) {
      const mtu = mtus[name];
      if (mtu === undefined) throw new Error("no such file");
      return mtu;
    },
  };
  t.equal(interfaceMtu("2001:db8::7", source), 1500);
  t.equal(interfaceMtu("10.0.0.7", source), 1420);
  t.equal(interfaceMtu("127.0.0.1", source), 65_536);
  t.equal(interfaceMtu("0.0.0.0", source), 1420);
  t.equal(interfaceMtu("::", source), 1420);
  t.equal(interfaceMtu("203.0.113.7", source), undefined, "not known");
  t.equal(interfaceMtu("198.51.100.1", source), undefined, "gone in the meantime");
});
