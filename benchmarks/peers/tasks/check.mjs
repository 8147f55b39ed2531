// The task of all but the end-to-end form: seeded bytes in, checked, a small answer back.
import { crc32 } from "node:zlib";
import { createPayload } from "../../micro/transport/halves/payload.mjs";
import { readAnswer, writeAnswer } from "./answer.mjs";

const MAX_CONTENTS = 16;
const MAX_BYTES = 64 * 2 ** 20;
/** Elements that tell contents apart where not all came: two of random bytes agree in 16 once in 2^128. */
const PROBE_ELEMENTS = 16;

/** Tensors of `bytes` that follow each other, so that a frame that is taken for another one is noticed. */
export function createContents({ bytes, seed }) {
  const count = Math.max(2, Math.min(MAX_CONTENTS, Math.floor(MAX_BYTES / bytes)));
  return Array.from({ length: count }, (_, i) => createPayload(bytes, (seed * 65_537 + i * 7_919 + 1) | 1));
}

function agrees(content, bytes, missing, limit) {
  let compared = 0;
  for (let i = 0; i < bytes.length && compared < limit; i++) {
    if (missing[i] === 1) continue;
    if (content[i] !== bytes[i]) return false;
    compared += 1;
  }
  return compared > 0;
}

/** Which of the contents has come, and whether all that came of it is right. -1: none of them. */
export function createChecker(contents) {
  const indexOf = new Map(contents.map((content, index) => [crc32(content), index]));
  return (bytes, missing) => {
    if (missing === undefined) {
      const content = indexOf.get(crc32(bytes)) ?? -1;
      return { content, isIntact: content >= 0 };
    }
    const content = contents.findIndex((each) => agrees(each, bytes, missing, PROBE_ELEMENTS));
    return { content, isIntact: content >= 0 && agrees(contents[content], bytes, missing, Infinity) };
  };
}

export function createClientTask(task) {
  const contents = createContents(task);
  return {
    spec: { dtype: "uint8", shape: [task.bytes], layout: "any" },
    bytesOf: (frame) => contents[frame % contents.length],
    judge(frame, answer) {
      const { content, isIntact, receivedShare } = readAnswer(answer);
      return { ok: isIntact && content === frame % contents.length, share: receivedShare };
    },
  };
}

export async function createServerTask(task) {
  const check = createChecker(createContents(task));
  return {
    /** `missing`: 1 for every element that did not come; absent where all did. */
    onTensor: (frame, bytes, { receivedShare = 1, missing } = {}) =>
      writeAnswer({ frame, ...check(bytes, missing), receivedShare }),
  };
}
