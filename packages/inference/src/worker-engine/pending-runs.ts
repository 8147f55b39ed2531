import { type EngineCounters, EngineError } from "../engine.js";
import type { RawTensor, WorkerReply, WorkerRequest } from "./messages.js";
import { createSpareBuffers, type SpareBuffers } from "./spare-buffers.js";

/** The runs that were handed to a worker and have no answer yet. */
export interface PendingRuns {
  /** @throws EngineError `queue-full`, what `end` was told, and `run-failed`; as rejections */
  run(inputs: Readonly<Record<string, RawTensor>>): Promise<readonly RawTensor[]>;
  handle(reply: WorkerReply): void;
  /** Rejects what is pending and everything that is asked for from now on. */
  end(error: EngineError): void;
  readonly hasEnded: boolean;
  /** Memory for inputs: what the worker is done with comes back. */
  readonly buffers: SpareBuffers;
  counters(): EngineCounters;
}

interface PendingRun {
  readonly id: number;
  readonly resolve: (outputs: readonly RawTensor[]) => void;
  readonly reject: (error: EngineError) => void;
}

/** @param post hands a request to the worker, and with it the buffers, which are not to be used any more */
export function createPendingRuns(
  maxPendingRuns: number,
  post: (request: WorkerRequest, transfer: readonly ArrayBuffer[]) => void,
): PendingRuns {
  // A handful, answered in the order in which they were asked for. A `Map` that fills and empties makes a new table every few runs,
  // and in V8 an old table keeps those that followed it alive, with everything that they held of each batch.
  const pending: PendingRun[] = [];
  const buffers = createSpareBuffers();
  const counts = { completed: 0, failed: 0, refused: 0 };
  let nextId = 0;
  let ended: EngineError | undefined;

  function settle(id: number, count: "completed" | "failed"): PendingRun | undefined {
    const at = pending.findIndex((run) => run.id === id);
    if (at < 0) return undefined;
    counts[count]++;
    return pending.splice(at, 1)[0];
  }

  return {
    run(inputs) {
      if (ended !== undefined) return Promise.reject(ended);
      if (pending.length >= maxPendingRuns) {
        counts.refused++;
        const message = `maxPendingRuns: ${maxPendingRuns} runs are pending already`;
        return Promise.reject(new EngineError("queue-full", message));
      }
      return new Promise((resolve, reject) => {
        const id = nextId++;
        const transfer = new Set(Object.values(inputs).map((tensor) => tensor.data.buffer as ArrayBuffer));
        pending.push({ id, resolve, reject });
        post({ kind: "run", id, inputs }, [...transfer]);
      });
    },
    handle(reply) {
      if (reply.kind === "done") {
        buffers.give(reply.spent ?? []);
        settle(reply.id, "completed")?.resolve(reply.outputs);
      } else if (reply.kind === "failed") {
        const error = new EngineError("run-failed", `the model could not be run: ${reply.message}`);
        settle(reply.id, "failed")?.reject(error);
      }
    },
    end(error) {
      ended ??= error;
      counts.failed += pending.length;
      for (const { reject } of pending.splice(0)) reject(error);
    },
    buffers,
    get hasEnded() {
      return ended !== undefined;
    },
    counters: () => ({ pending: pending.length, ...counts }),
  };
}
