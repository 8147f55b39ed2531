import t from "tap";
import { describePeerError } from "#src/quiche/close-info.js";
import { addTransfer, DatagramPacker, recyclePack, unpackDatagrams } from "#src/quiche/datagram-pack.js";
import { Pacer } from "#src/quiche/pacer.js";
import { decodePacketHeader } from "#src/quiche/packet-header.js";
import { decodeRetryToken, encodeRetryToken } from "#src/quiche/retry-token.js";
import { encodeErrorCode } from "#src/webtransport/error-code.js";

const hex = (text: string) => Uint8Array.from(Buffer.from(text.replaceAll(" ", ""), "hex"));

t.test("a retry token holds for one address, one id and ten seconds", async (t) => {
  const key = Buffer.alloc(32, 7);
  const original = hex("8394c8f03e515708");
  const retryId = Buffer.alloc(16, 1);
  const token = encodeRetryToken(key, "10.0.0.1:5000", original, retryId, 1_000_000);
  const decode = (address: string, id: Uint8Array, nowMs: number, bytes = token, by = key) => {
    const found = decodeRetryToken(by, address, bytes, id, nowMs);
    return found === undefined ? undefined : [Buffer.from(found.originalId).toString("hex"), found.ageMs];
  };
  t.same(decode("10.0.0.1:5000", retryId, 1_005_000), ["8394c8f03e515708", 5000]);
  t.equal(decode("10.0.0.1:5001", retryId, 1_005_000), undefined, "another port");
  t.equal(decode("10.0.0.1:5000", Buffer.alloc(16, 2), 1_005_000), undefined, "another id");
  t.equal(decode("10.0.0.1:5000", retryId, 1_010_001), undefined, "too old");
  t.equal(decode("10.0.0.1:5000", retryId, 999_999), undefined, "from the future");
  t.equal(decode("10.0.0.1:5000", retryId, 1_005_000, token, Buffer.alloc(32, 8)), undefined, "another key");
  for (let i = 0; i < token.byteLength; i++) {
    const changed = Uint8Array.from(token);
    changed[i] = (changed[i] ?? 0) ^ 1;
    t.equal(decode("10.0.0.1:5000", retryId, 1_005_000, changed), undefined, `byte ${i} changed`);
  }
  t.equal(decode("10.0.0.1:5000", retryId, 1_005_000, new Uint8Array(200)), undefined);
  t.equal(decode("10.0.0.1:5000", retryId, 1_005_000, new Uint8Array(0)), undefined);
});

t.test("packet headers: RFC 9001 appendix A.2 and short ones", async (t) => {
  const initial = decodePacketHeader(hex("c300000001088394c8f03e5157080000449e7b9aec34"));
  t.match(initial, { isLong: true, isInitial: true, version: 1 });
  t.equal(Buffer.from(initial?.destinationId ?? []).toString("hex"), "8394c8f03e515708");
  t.equal(initial?.sourceId.byteLength, 0);
  const short = decodePacketHeader(hex(`40 ${"ab".repeat(16)} 0000`));
  t.equal(Buffer.from(short?.destinationId ?? []).toString("hex"), "ab".repeat(16));
  for (const bad of ["", "40 00", "c300000001", "c300000001ff00", "c30000000115", "c3000000010801"]) {
    t.equal(decodePacketHeader(hex(bad)), undefined, bad);
  }
});

t.test("the pacer gives out a window for each round trip", async (t) => {
  const pacer = new Pacer();
  t.equal(pacer.budgetBytes(0), Number.POSITIVE_INFINITY, "nothing is known yet");
  pacer.update(100_000, 50, 40);
  let sent = 0;
  for (let nowMs = 0; nowMs <= 1000; nowMs++) {
    while (pacer.budgetBytes(nowMs) > 0) {
      pacer.handleSent(1350);
      sent += 1350;
    }
  }
  const perRoundTrip = (sent / 1000) * 50;
  t.ok(perRoundTrip > 99_000 && perRoundTrip < 103_000, `${perRoundTrip} bytes for each round trip`);
  pacer.update(100_000, 0, 0);
  t.equal(pacer.budgetBytes(1001), Number.POSITIVE_INFINITY, "a local path is not paced");
  pacer.update(100_000, 4, 1);
  t.equal(pacer.budgetBytes(1002), Number.POSITIVE_INFINITY, "nor one whose peer is slow to read");
  pacer.update(100_000, 10, 1);
  t.ok(pacer.budgetBytes(1003) < 100_000, "a queue of some length is");
});

t.test("the memory of a pack that was sent serves the next one", async (t) => {
  const packer = new DatagramPacker();
  packer.add(Uint8Array.of(1), new Uint8Array(5000));
  const first = packer.take();
  t.ok(first !== undefined);
  if (first === undefined) return;
  packer.add(Uint8Array.of(1), new Uint8Array(5000));
  const second = packer.take();
  t.not(second?.bytes.buffer, first.bytes.buffer, "somebody may still read it");
  recyclePack(first);
  packer.add(Uint8Array.of(2), new Uint8Array(5000).fill(3));
  const third = packer.take();
  t.equal(third?.bytes.buffer, first.bytes.buffer);
  t.strictSame(third && unpackDatagrams(third), [Uint8Array.of(2, ...new Uint8Array(5000).fill(3))]);
  recyclePack(first);
  packer.add(Uint8Array.of(2), new Uint8Array(20_000));
  t.ok((packer.take()?.bytes.buffer.byteLength ?? 0) > 20_000, "memory that is too small stays for others");
});

t.test("the memory of more packs than serve next ones is given back at once", async (t) => {
  const packs = Array.from({ length: 40 }, () => ({ bytes: new Uint8Array(8_192), count: 1 }));
  for (const pack of packs) recyclePack(pack);
  const kept = packs.filter(({ bytes }) => bytes.byteLength > 0);
  t.ok(kept.length <= 16, `${kept.length} are kept`);
});

t.test("a pack with little is copied into its message, one with much moves", async (t) => {
  const packer = new DatagramPacker();
  const transfersOf = (bytes: number) => {
    packer.add(Uint8Array.of(1), new Uint8Array(bytes));
    const pack = packer.take()!;
    const transfers: ArrayBuffer[] = [];
    addTransfer(transfers, pack.bytes);
    if (transfers.length === 0)
      t.equal(pack.bytes.buffer.byteLength, pack.bytes.byteLength, "nothing else with it");
    recyclePack(pack);
    return transfers.length;
  };
  t.equal(transfersOf(100), 0);
  t.equal(transfersOf(5_000), 1);
  t.equal(transfersOf(100), 0);
});

t.test("datagrams survive packing, whatever their sizes", async (t) => {
  const packer = new DatagramPacker();
  const prefix = Uint8Array.of(5);
  const sizes = [0, 1, 1200, 255, 256, 3000];
  for (const size of sizes) t.ok(packer.add(prefix, new Uint8Array(size).fill(size)));
  const pack = packer.take();
  if (pack === undefined) throw new Error("nothing packed");
  t.equal(pack.count, sizes.length);
  t.strictSame(
    unpackDatagrams(pack).map((d) => [
      d[0],
      d.byteLength - 1,
      d.subarray(1).every((b) => b === ((d.byteLength - 1) & 0xff)),
    ]),
    sizes.map((size) => [5, size, true]),
  );
  t.equal(packer.take(), undefined);
  let count = 0;
  while (packer.add(prefix, new Uint8Array(1200))) count += 1;
  t.equal(count, Math.floor(65_536 / 1203), "a full pack refuses");
});

t.test("what a peer's close means for the application", async (t) => {
  t.strictSame(describePeerError(true, 0x100, ""), { code: 0, reason: "", by: "remote" });
  t.strictSame(describePeerError(true, encodeErrorCode(77), "bye"), {
    code: 77,
    reason: "bye",
    by: "remote",
  });
  t.strictSame(describePeerError(true, 42, "deno"), { code: 42, reason: "deno", by: "remote" });
  t.match(describePeerError(true, 0x105, ""), { code: 0, by: "transport", reason: /0x105/ });
  t.match(describePeerError(false, 0x0a, ""), { code: 0, by: "transport", reason: /0xa/ });
});
