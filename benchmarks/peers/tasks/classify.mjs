// The task of the end-to-end form: the tensor of a real cut goes in, and what comes back says what has arrived. The second
// half runs afterwards on exactly that, so that its work does not compete with the carriers for the cores; in its place
// every server waits the same time before it answers.
import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { readAnswer, writeAnswer } from "./answer.mjs";
import { createChecker } from "./check.mjs";
import { readPrepared } from "./prepared.mjs";
import { packDeflated, packUint8 } from "./uint8-payload.mjs";

/** What the second half of MobileNetV2 behind add_3 takes on one core, rounded up. */
export const INFERENCE_MS = 10;

const asBytes = (values) => new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
/** What clients send: with `sluice` the tensor as it is, which the system compresses. */
const payloads = { float32: asBytes, uint8: packUint8, deflated: packDeflated, sluice: asBytes };

const CODEC = "sluice";

async function agreeOn(statistics) {
  const { decodeStatistics } = await import("@sluice/tensor");
  const hash = createHash("sha256").update(JSON.stringify(statistics)).digest();
  return { value: decodeStatistics(statistics), hash: new Uint8Array(hash) };
}

export async function createClientTask({ folder, payload }) {
  const { tensors, spec, statistics } = readPrepared(folder);
  const contents = tensors.map(payloads[payload]);
  return {
    spec,
    ...(payload === "sluice" ? { stream: { codec: CODEC, statistics: await agreeOn(statistics) } } : {}),
    bytesOf: (frame) => contents[frame % contents.length],
    judge(frame, answer) {
      const { content, isIntact, receivedShare } = readAnswer(answer);
      const image = frame % contents.length;
      const ok = isIntact && (payload === "sluice" || content === image);
      return { ok, share: receivedShare, image, content };
    },
  };
}

/** Tensors arrive as they were sent or not at all: which one it is says all. */
function createExactTask({ folder, payload }) {
  const check = createChecker(readPrepared(folder).tensors.map(payloads[payload]));
  return {
    async onTensor(frame, bytes) {
      await sleep(INFERENCE_MS);
      return writeAnswer({ frame, ...check(bytes), receivedShare: 1 });
    },
  };
}

/** Every tensor that arrives is another one: they are kept, and the answer says which one it is. */
async function createLossyTask({ folder, store }) {
  const kept = [];
  const served = {
    network: {
      async run(frames) {
        await sleep(INFERENCE_MS);
        return frames.map(({ tensor }) => tensor);
      },
    },
    answer(tensor, { frameNumber, context: { missingCount } }) {
      const content = kept.push(tensor.data.slice()) - 1;
      const receivedShare = 1 - missingCount / tensor.data.length;
      return writeAnswer({ frame: frameNumber, content, receivedShare, isIntact: true });
    },
    statistics: await agreeOn(readPrepared(folder).statistics),
  };
  return { served, collect: () => writeFileSync(store, Buffer.concat(kept.map(asBytes))) };
}

/** @param task.store file for the tensors that a lossy system has delivered, float32, one after another */
export function createServerTask(task) {
  return task.payload === "sluice" ? createLossyTask(task) : createExactTask(task);
}
