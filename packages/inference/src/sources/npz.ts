import { inflateRawSync } from "node:zlib";
import { ModelError } from "../model-error.js";

/** Signatures of the ZIP format (APPNOTE 6.3, 4.3.12 and 4.3.16), and the bytes of what they begin without names. */
const endOfDirectory = { signature: 0x06054b50, bytes: 22 };
const directoryEntry = { signature: 0x02014b50, bytes: 46 };
const localHeaderBytes = 30;
const maxCommentBytes = 65_535;

/** What an unpacked array may have. */
const maxArrayBytes = 1 << 28;

/**
 * The `.npy` files in a `.npz` archive of NumPy (`savez`, `savez_compressed`) by the names of the arrays.
 * @param what names the file in errors
 * @throws ModelError `unreadable`, `too-large`
 */
export function readNpz(file: Uint8Array, what: string): ReadonlyMap<string, Uint8Array> {
  const fail = (message: string): never => {
    throw new ModelError("unreadable", `${what}: ${message}`);
  };
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  let end = file.length - endOfDirectory.bytes;
  const least = Math.max(0, end - maxCommentBytes);
  while (end >= least && view.getUint32(end, true) !== endOfDirectory.signature) end--;
  if (end < least) fail("is no .npz archive of NumPy, or cut short");
  const arrays = new Map<string, Uint8Array>();
  let at = view.getUint32(end + 16, true);
  for (let left = view.getUint16(end + 10, true); left > 0; left--) {
    if (at + directoryEntry.bytes > file.length || view.getUint32(at, true) !== directoryEntry.signature)
      fail("its directory is damaged");
    const [method, packed, bytes] = [
      view.getUint16(at + 10, true),
      view.getUint32(at + 20, true),
      view.getUint32(at + 24, true),
    ];
    const nameBytes = view.getUint16(at + 28, true);
    const local = view.getUint32(at + 42, true);
    const name = new TextDecoder().decode(
      file.subarray(at + directoryEntry.bytes, at + directoryEntry.bytes + nameBytes),
    );
    at += directoryEntry.bytes + nameBytes + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
    if (!name.endsWith(".npy")) continue;
    if (bytes > maxArrayBytes)
      throw new ModelError(
        "too-large",
        `${what}: array "${name}": ${bytes} bytes, at most ${maxArrayBytes} are allowed`,
      );
    if (local + localHeaderBytes > file.length) fail("its directory is damaged");
    const start =
      local + localHeaderBytes + view.getUint16(local + 26, true) + view.getUint16(local + 28, true);
    const data = file.subarray(start, start + packed);
    arrays.set(
      name.slice(0, -".npy".length),
      method === 0 ? data : inflate(data, `${what}: array "${name}"`),
    );
  }
  return arrays;
}

function inflate(data: Uint8Array, what: string): Uint8Array {
  try {
    return inflateRawSync(data, { maxOutputLength: maxArrayBytes });
  } catch (cause) {
    throw new ModelError("unreadable", `${what}: cannot be unpacked`, { cause });
  }
}
