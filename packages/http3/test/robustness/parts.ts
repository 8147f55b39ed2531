import type { Random } from "@sluice/simnet";
import { runAttackStorm } from "./attack-storm.js";
import { CONNECTIONS_PER_LOOK, runConnectionStorm } from "./connection-storm.js";
import { measureGrowth } from "./memory-growth.js";
import { runPacketStorm } from "./packet-storm.js";
import { runStreamStorm } from "./stream-storm.js";

/** How much of everything. */
export interface Sizes {
  readonly packets: number;
  /** Hostile streams for the layer without I/O, and over real QUIC. */
  readonly streams: number;
  readonly attacks: number;
  readonly sequential: number;
  readonly concurrent: number;
}

export const FULL: Sizes = {
  packets: 100_000,
  streams: 10_000,
  attacks: 10_000,
  sequential: 2_000,
  concurrent: 500,
};
export const SHORT: Sizes = { packets: 4_000, streams: 4_000, attacks: 600, sequential: 100, concurrent: 60 };

/** What one part found: `failures` has to be empty. */
export interface PartResult {
  readonly figures: Readonly<Record<string, unknown>>;
  readonly failures: readonly string[];
}

/** One part of the campaign. */
export interface Part {
  readonly name: string;
  run(random: Random, sizes: Sizes): Promise<PartResult>;
}

/** The server's code for an exception of ours, which no input may cause (RFC 9114 8.1). */
const INTERNAL_ERROR = "0x102";
/** 32 MB for 1,000: the allocator's fragments come to less, and a leaked QUIC connection with its TLS state to more. */
const MAX_RSS_BYTES_PER_CONNECTION = 32_768;
const MAX_HEAP_BYTES_PER_CONNECTION = 1_024;
/** Looks that a comparison needs. */
const MIN_LOOKS = 8;

async function packets(random: Random, sizes: Sizes, retry: "always" | "never"): Promise<PartResult> {
  const count = sizes.packets / 2;
  const storm = await runPacketStorm({ random: random.fork(`packets ${retry}`), count, retry });
  const { server, client, mutations, probes } = storm;
  return {
    figures: {
      packets: count,
      probes,
      mutations,
      serverRssBytes: server.rssBytes,
      clientRssBytes: client.rssBytes,
    },
    failures: [...server.faults, ...client.faults],
  };
}

export const PARTS: readonly Part[] = [
  { name: "packets", run: (random, sizes) => packets(random, sizes, "always") },
  { name: "packets without Retry", run: (random, sizes) => packets(random, sizes, "never") },
  {
    name: "streams",
    async run(random, sizes) {
      const { faults, ...figures } = runStreamStorm({ random: random.fork("streams"), count: sizes.streams });
      return { figures, failures: faults };
    },
  },
  {
    name: "streams over QUIC",
    async run(random, sizes) {
      const seed = String(random.fork("attacks").next());
      const { attack, server } = await runAttackStorm({ seed, count: sizes.attacks });
      const { faults, ...figures } = attack;
      const failures = [...faults, ...server.faults];
      const internal = figures.codes[INTERNAL_ERROR] ?? 0;
      if (internal > 0) failures.push(`${internal} connections ended in an internal error`);
      return { figures: { ...figures, serverRssBytes: server.rssBytes }, failures };
    },
  },
  {
    name: "connections",
    async run(_random, sizes) {
      const { sequential, concurrent } = sizes;
      const { server, client } = await runConnectionStorm({ sequential, concurrent });
      const failures: string[] = [];
      const figures: Record<string, unknown> = { sequential, concurrent };
      for (const [side, looks] of Object.entries({ server, client })) {
        const last = looks.at(-1);
        failures.push(...(last?.faults ?? ["no census"]));
        const left = (last?.worker.connectionIds ?? 0) + (last?.clients ?? 0) - (side === "server" ? 1 : 0);
        if (left !== 0) failures.push(`${side}: ${left} entries left in its tables`);
        figures[`${side}RssMegabytes`] = looks.map(({ rssBytes }) => Math.round(rssBytes / 1e6));
        // The crowd comes last, and takes what a crowd needs.
        const sequence = looks.slice(0, -1);
        if (sequence.length < MIN_LOOKS) continue;
        const growth = measureGrowth(sequence, CONNECTIONS_PER_LOOK);
        figures[`${side}Growth`] = growth;
        if (growth.rssBytesPerConnection > MAX_RSS_BYTES_PER_CONNECTION)
          failures.push(`${side}: the process grows`);
        const heap = growth.heapBytesPerConnection + growth.workerBytesPerConnection;
        if (heap > MAX_HEAP_BYTES_PER_CONNECTION) failures.push(`${side}: the heap grows`);
      }
      return { figures, failures };
    },
  },
];
