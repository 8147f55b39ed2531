/** Who waits for the answer to which frame; a frame that its signal gives up is forgotten. */
export function createAnswers() {
  const waiting = new Map();
  const settle = (frame) => {
    const entry = waiting.get(frame);
    if (entry === undefined) return undefined;
    waiting.delete(frame);
    entry.signal?.removeEventListener("abort", entry.abort);
    return entry;
  };
  return {
    /** Frames that wait. */
    get size() {
      return waiting.size;
    },
    /** Resolves with `{ answer }`. @throws the signal's reason */
    wait: (frame, signal) =>
      new Promise((resolve, reject) => {
        const abort = () => settle(frame)?.reject(signal.reason);
        waiting.set(frame, { resolve, reject, signal, abort });
        signal?.addEventListener("abort", abort, { once: true });
      }),
    /** An answer has come; one that nobody waits for any more is dropped. */
    give: (frame, answer) => settle(frame)?.resolve({ answer }),
    fail: (frame, error) => settle(frame)?.reject(error),
    failAll(error) {
      for (const frame of [...waiting.keys()]) settle(frame)?.reject(error);
    },
  };
}
