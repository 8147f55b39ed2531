// The path between clients and server: a relay, whose faults are laid over what it is like without any.
import { createRelay } from "../../packages/simnet/dist/index.js";

/** A path that is not perfect either. */
const base = { delayMs: 5, jitterMs: 3, loss: 0.005, mtuBytes: 1_500 };
const withoutLimits = {
  ...{ rateBitsPerSecond: undefined, queueMs: undefined, queueBytes: undefined, burst: 1, reorder: 0 },
  ...{ reorderMs: undefined, duplicate: 0, corrupt: 0 },
};

export async function openNetwork({ port, seed }) {
  const relay = await createRelay({
    ...{ listen: { host: "127.0.0.1", port: 0 }, target: { host: "127.0.0.1", port }, seed },
    ...{ up: base, down: base },
  });
  const changes = new Set();

  function apply() {
    const side = (name) => {
      const here = [...changes].filter(({ direction }) => direction === "both" || direction === name);
      return Object.assign({ ...withoutLimits, ...base }, ...here.map(({ change }) => change));
    };
    relay.set({ up: side("up"), down: side("down") });
  }

  return {
    url: `https://127.0.0.1:${relay.address.port}`,
    /** @returns what takes the change back */
    change(change, direction) {
      const entry = { change, direction };
      changes.add(entry);
      apply();
      return () => {
        changes.delete(entry);
        apply();
      };
    },
    rebind: () => relay.rebind(),
    stats: () => relay.stats(),
    close: () => relay.close(),
  };
}
