/** A lossy network for each page that asks for one, so that two pages do not disturb each other. */
import { createRelay, type HostPort, type LinkParameters, type Relay } from "@sluice/simnet";

/** What a page may ask of its network, each way. */
export interface PathConditions {
  readonly delayMs: number;
  /** Share of packets, 0 to 1; 1 lets nothing through. */
  readonly loss: number;
  /** Mean number of packets lost in a row. */
  readonly burst: number;
  /** Bottleneck in bits per second; null: none. */
  readonly rateBitsPerSecond: number | null;
}

export interface PathState {
  /** UDP port that the page sends to. */
  readonly port: number;
  /** Packets since the start, both ways together. */
  readonly packets: number;
  readonly lost: number;
}

export interface NetworkPaths {
  /** @throws RangeError naming the field, or that there are too many pages */
  set(page: string, conditions: PathConditions): Promise<PathState>;
  close(): Promise<void>;
}

export interface NetworkPathsOptions {
  readonly listenHost: string;
  readonly target: HostPort;
  /** Default 32. */
  readonly maxPaths?: number;
  /** A page that has not asked for so long has no path any more, in milliseconds. Default 60,000. */
  readonly idleMs?: number;
}

interface Path {
  readonly relay: Relay;
  conditions: string;
  askedMs: number;
}

const mtuBytes = 1_500;
const queueMs = 200;

function toLink({ delayMs, loss, burst, rateBitsPerSecond }: PathConditions): LinkParameters {
  const rate = rateBitsPerSecond === null ? Number.POSITIVE_INFINITY : rateBitsPerSecond;
  return { delayMs, loss, burst: loss === 1 ? 1 : burst, rateBitsPerSecond: rate, queueMs, mtuBytes };
}

export function createNetworkPaths(options: NetworkPathsOptions): NetworkPaths {
  const { target, maxPaths = 32, idleMs = 60_000 } = options;
  const paths = new Map<string, Promise<Path>>();
  let seed = 1;

  async function forgetIdle(): Promise<void> {
    for (const [page, opening] of paths) {
      const path = await opening.catch(() => undefined);
      if (path && performance.now() - path.askedMs < idleMs) continue;
      paths.delete(page);
      await path?.relay.close();
    }
  }
  const timer = setInterval(() => void forgetIdle(), idleMs / 2);
  timer.unref();

  async function open(conditions: PathConditions): Promise<Path> {
    const link = toLink(conditions);
    const relay = await createRelay({
      ...{ listen: { host: options.listenHost, port: 0 }, target, up: link, down: link, seed: seed++ },
    });
    return { relay, conditions: JSON.stringify(conditions), askedMs: performance.now() };
  }

  return {
    async set(page, conditions) {
      let opening = paths.get(page);
      if (opening === undefined) {
        if (paths.size >= maxPaths) await forgetIdle();
        if (paths.size >= maxPaths) throw new RangeError(`page: ${maxPaths} pages have a network already`);
        opening = open(conditions);
        paths.set(page, opening);
        opening.catch(() => paths.delete(page));
      }
      const path = await opening;
      path.askedMs = performance.now();
      const asked = JSON.stringify(conditions);
      if (asked !== path.conditions) {
        const link = toLink(conditions);
        path.relay.set({ up: link, down: link });
        path.conditions = asked;
      }
      const { up, down } = path.relay.stats();
      return {
        port: path.relay.address.port,
        packets: up.offered + down.offered,
        lost: up.droppedLoss + down.droppedLoss,
      };
    },
    async close() {
      clearInterval(timer);
      for (const opening of paths.values()) await opening.then(({ relay }) => relay.close()).catch(() => {});
      paths.clear();
    },
  };
}
