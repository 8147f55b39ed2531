import type { Draw } from "./draw.js";
import { sealInitial } from "./initial-packet.js";

const MAX_PACKET_BYTES = 1472;
const VERSIONS = [0, 1, 2, 0x6b3343cf, 0xff00001d, 0x0a0a0a0a, 0xffffffff];

type Mutation = (draw: Draw, packet: Buffer, corpus: readonly Buffer[]) => Buffer;

function flipBits(draw: Draw, packet: Buffer): Buffer {
  for (let i = 1 + draw.below(8); i > 0; i--) {
    const at = draw.below(packet.byteLength);
    packet[at] = (packet[at] ?? 0) ^ (1 << draw.below(8));
  }
  return packet;
}

/** Flips within what is not protected: flags, version, ids, token, length. */
function flipHeader(draw: Draw, packet: Buffer): Buffer {
  const at = draw.below(Math.min(packet.byteLength, 64));
  packet[at] = draw.below(256);
  return packet;
}

function setVersion(draw: Draw, packet: Buffer): Buffer {
  if (packet.byteLength < 5) return packet;
  packet[0] = 0x80 | (packet[0] ?? 0);
  packet.writeUInt32BE(draw.pick(VERSIONS), 1);
  return packet;
}

/** An Initial packet without protection that says anything about its ids, its token and its length. */
function forgeLongHeader(draw: Draw): Buffer {
  const idBytes = () => draw.pick([0, 1, 7, 8, 16, 20, 21, 255]);
  const destination = draw.bytes(idBytes());
  const source = draw.bytes(idBytes());
  return Buffer.concat([
    Buffer.from([0xc0 | draw.below(64), 0, 0, 0, draw.pick([0, 1, 1, 1, 2])]),
    Buffer.of(destination.byteLength),
    destination,
    Buffer.of(source.byteLength),
    source,
    draw.bytes(draw.pick([0, 1, 2, 4, 8])),
    Buffer.alloc(draw.pick([0, 100, 1150, 1200])),
  ]);
}

/** A protected Initial packet with frames that no client sends. */
function forgeInitial(draw: Draw): Buffer {
  return sealInitial({
    destinationId: draw.bytes(draw.pick([8, 8, 16, 20])),
    sourceId: draw.bytes(draw.pick([0, 8, 20])),
    token: draw.chance(0.8) ? Buffer.alloc(0) : draw.bytes(draw.below(100)),
    packetNumber: draw.pick([0, 0, 1, 0x7fff_ffff, 0xffff_ffff]),
    frames: Buffer.concat([forgeFrames(draw), Buffer.alloc(1162)]).subarray(0, 1162),
  });
}

function forgeFrames(draw: Draw): Buffer {
  const varint = () =>
    draw.pick([
      Buffer.of(draw.below(64)),
      Buffer.from("ffffffffffffffff", "hex"),
      Buffer.from("bfffffff", "hex"),
      Buffer.of(0),
    ]);
  const frames: Buffer[] = [];
  for (let i = 1 + draw.below(6); i > 0; i--) {
    // RFC 9000 19: ACK, CRYPTO at any offset, NEW_CONNECTION_ID, CONNECTION_CLOSE, STREAM, PATH_CHALLENGE, or anything.
    switch (draw.below(7)) {
      case 0:
        frames.push(Buffer.concat([Buffer.of(0x02), varint(), varint(), varint(), varint()]));
        break;
      case 1: {
        const content = draw.bytes(draw.below(60));
        frames.push(Buffer.concat([Buffer.of(0x06), varint(), Buffer.of(content.byteLength), content]));
        break;
      }
      case 2:
        frames.push(Buffer.concat([Buffer.of(0x18), varint(), varint(), Buffer.of(8), draw.bytes(24)]));
        break;
      case 3:
        frames.push(Buffer.concat([Buffer.of(0x1c), varint(), varint(), Buffer.of(0)]));
        break;
      case 4:
        frames.push(Buffer.concat([Buffer.of(0x08 | draw.below(8)), varint(), varint(), draw.bytes(8)]));
        break;
      case 5:
        frames.push(Buffer.concat([Buffer.of(0x1a), draw.bytes(8)]));
        break;
      default:
        frames.push(draw.bytes(1 + draw.below(40)));
    }
  }
  return Buffer.concat(frames);
}

const MUTATIONS: Readonly<Record<string, Mutation>> = {
  "bits flipped": flipBits,
  "header flipped": flipHeader,
  truncated: (draw, packet) => packet.subarray(0, draw.below(packet.byteLength + 1)),
  extended: (draw, packet) => Buffer.concat([packet, draw.bytes(1 + draw.below(200))]),
  spliced: (draw, packet, corpus) => {
    const other = draw.pick(corpus);
    return Buffer.concat([
      packet.subarray(0, draw.below(packet.byteLength)),
      other.subarray(draw.below(other.byteLength)),
    ]);
  },
  "two in one": (draw, packet, corpus) => Buffer.concat([packet, draw.pick(corpus)]),
  repeated: (_draw, packet) => packet,
  "header form flipped": (_draw, packet) => {
    packet[0] = (packet[0] ?? 0) ^ 0x80;
    return packet;
  },
  "packet type changed": (draw, packet) => {
    packet[0] = ((packet[0] ?? 0) & 0xcf) | (draw.below(4) << 4);
    return packet;
  },
  "wrong version": setVersion,
  "bytes zeroed": (draw, packet) => packet.fill(0, draw.below(packet.byteLength), packet.byteLength),
  "long header made up": (draw) => forgeLongHeader(draw),
  "Initial made up": (draw) => forgeInitial(draw),
  garbage: (draw) => draw.bytes(draw.below(MAX_PACKET_BYTES)),
  empty: () => Buffer.alloc(0),
};

export const MUTATION_NAMES = Object.keys(MUTATIONS);

/** One bad packet, made from packets that were really sent, and the name of what was done to it. */
export function mutatePacket(draw: Draw, corpus: readonly Buffer[]): { name: string; packet: Buffer } {
  const name = draw.pick(MUTATION_NAMES);
  const made = MUTATIONS[name]?.(draw, Buffer.from(draw.pick(corpus)), corpus) ?? Buffer.alloc(0);
  return { name, packet: made.subarray(0, MAX_PACKET_BYTES) };
}
