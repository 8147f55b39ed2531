import { createCipheriv, createHmac } from "node:crypto";

/** RFC 9001 5.2: what the keys of Initial packets are made from, besides an id that everybody sees. */
const INITIAL_SALT = Buffer.from("38762cf7f55934b34d179ae6a4c80cadccbb7f0a", "hex");
const TAG_BYTES = 16;
const PACKET_NUMBER_BYTES = 4;
const EMPTY = Buffer.alloc(0);

function hmac(key: Uint8Array, data: Uint8Array): Buffer {
  return createHmac("sha256", key).update(data).digest();
}

/** HKDF-Expand-Label of TLS 1.3 with an empty context (RFC 8446 7.1), for at most one block of SHA-256. */
function expandLabel(secret: Uint8Array, label: string, length: number): Buffer {
  const name = Buffer.from(`tls13 ${label}`);
  const info = Buffer.concat([
    Buffer.from([length >>> 8, length & 0xff, name.byteLength]),
    name,
    Buffer.of(0),
  ]);
  return hmac(secret, Buffer.concat([info, Buffer.of(1)])).subarray(0, length);
}

/**
 * A client's Initial packet with any frames in it, protected so that a server reads them (RFC 9001 5.2 to 5.4):
 * the one kind of packet that a stranger can make and that gets behind the first check.
 */
export function sealInitial(options: {
  destinationId: Uint8Array;
  sourceId: Uint8Array;
  token: Uint8Array;
  packetNumber: number;
  frames: Uint8Array;
}): Buffer {
  const { destinationId, sourceId, token, packetNumber, frames } = options;
  const initial = hmac(INITIAL_SALT, destinationId);
  const secret = expandLabel(initial, "client in", 32);
  const key = expandLabel(secret, "quic key", 16);
  const iv = expandLabel(secret, "quic iv", 12);
  const hp = expandLabel(secret, "quic hp", 16);
  const number = Buffer.alloc(PACKET_NUMBER_BYTES);
  number.writeUInt32BE(packetNumber);
  const length = PACKET_NUMBER_BYTES + frames.byteLength + TAG_BYTES;
  const header = Buffer.concat([
    Buffer.from([0xc0 | (PACKET_NUMBER_BYTES - 1), 0, 0, 0, 1, destinationId.byteLength]),
    destinationId,
    Buffer.of(sourceId.byteLength),
    sourceId,
    Buffer.from([0x40 | (token.byteLength >>> 8), token.byteLength & 0xff]),
    token,
    Buffer.from([0x40 | (length >>> 8), length & 0xff]),
    number,
  ]);
  const nonce = Buffer.from(iv);
  for (let i = 0; i < PACKET_NUMBER_BYTES; i++) {
    const at = nonce.byteLength - PACKET_NUMBER_BYTES + i;
    nonce[at] = (nonce[at] ?? 0) ^ (number[i] ?? 0);
  }
  const cipher = createCipheriv("aes-128-gcm", key, nonce);
  cipher.setAAD(header);
  const sealed = Buffer.concat([cipher.update(frames), cipher.final(), cipher.getAuthTag()]);
  const packet = Buffer.concat([header, sealed]);
  const numberAt = header.byteLength - PACKET_NUMBER_BYTES;
  const sample = packet.subarray(numberAt + 4, numberAt + 20);
  const mask = createCipheriv("aes-128-ecb", hp, EMPTY).setAutoPadding(false).update(sample);
  packet[0] = (packet[0] ?? 0) ^ ((mask[0] ?? 0) & 0x0f);
  for (let i = 0; i < PACKET_NUMBER_BYTES; i++) {
    packet[numberAt + i] = (packet[numberAt + i] ?? 0) ^ (mask[i + 1] ?? 0);
  }
  return packet;
}
