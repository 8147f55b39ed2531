import t from "tap";
import { isLocalPeer, packetLimit } from "#src/path-mtu/packet-limit.js";

t.test("packets fit Ethernet, whichever IP is under them", async (t) => {
  t.equal(packetLimit("192.0.2.1", false, undefined), 1472);
  t.equal(packetLimit("2001:db8::1", false, undefined), 1452);
  t.equal(packetLimit("::ffff:192.0.2.1", false, undefined), 1472, "IPv4 seen through a socket for both");
});

t.test("they are large on one machine, and what the application says everywhere", async (t) => {
  t.equal(packetLimit("127.0.0.1", true, undefined), 15_872);
  t.equal(packetLimit("127.0.0.1", true, 1250), 1250);
  t.equal(packetLimit("192.0.2.1", false, 9000), 9000);
});

t.test("a peer is on this machine by its address and by how fast it answers", async (t) => {
  for (const address of ["127.0.0.1", "127.8.9.1", "::1", "::ffff:127.0.0.1"]) {
    t.equal(isLocalPeer(address, 0.5), true, address);
    t.equal(isLocalPeer(address, 4), false, `${address} behind a relay`);
  }
  t.equal(isLocalPeer("192.0.2.1", 0.5), false, "a neighbour");
});
