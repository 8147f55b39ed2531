import { parentPort } from "node:worker_threads";
import { messageOf } from "./message-of.js";
import type { RawTensor, WorkerReply, WorkerRequest } from "./messages.js";

/** Sends the main thread a message; what is transferred can no longer be used here. */
export function reply(message: WorkerReply, transfer: readonly ArrayBuffer[] = []): void {
  parentPort?.postMessage(message, transfer);
}

function buffersOf(tensors: readonly RawTensor[]): Set<ArrayBuffer> {
  return new Set(tensors.map(({ data }) => data.buffer as ArrayBuffer));
}

/**
 * Answers requests one after another, in the order in which they come, until the thread is told to close.
 * @param network `run` gives the outputs in buffers of their own, which are given away
 */
export function serveRuns(network: {
  run(inputs: Readonly<Record<string, RawTensor>>): Promise<RawTensor[]>;
  release(): Promise<void>;
}): void {
  let last: Promise<void> = Promise.resolve();
  let closing = false;
  parentPort?.on("message", (request: WorkerRequest) => {
    closing ||= request.kind === "close";
    last = last.then(async () => {
      if (request.kind === "close") {
        await network.release();
        parentPort?.close();
        return;
      }
      // Nobody waits for what was asked for before the close.
      if (closing) return;
      try {
        const outputs = await network.run(request.inputs);
        const given = buffersOf(outputs);
        // A runtime may give an input as an output.
        const spent = [...buffersOf(Object.values(request.inputs))].filter((buffer) => !given.has(buffer));
        reply({ kind: "done", id: request.id, outputs, spent }, [...given, ...spent]);
      } catch (error) {
        reply({ kind: "failed", id: request.id, message: messageOf(error) });
      }
    });
  });
}
