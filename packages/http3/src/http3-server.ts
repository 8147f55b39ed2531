import type { TransportServer } from "@sluice/transport";
import { type RefusalCounts, Refusals } from "./admission/refusals.js";
import {
  type CertificateSource,
  type PublishedCertificate,
  publishedCertificates,
} from "./certificates/certificate-source.js";
import type { EngineServer } from "./engine.js";
import type { EngineStats } from "./engine-stats.js";

/** How a server stands. */
export interface ServerStats {
  /** Clients that were not served since the start, by reason, on all engines together. */
  readonly refused: RefusalCounts;
  /** One for each engine that counts. */
  readonly engines: readonly EngineStats[];
}

/** What {@link listen} starts. */
export interface Http3Server extends TransportServer {
  /** Of the certificate that new connections get; it changes when that does. */
  readonly certificateHash: string;
  /** What clients may pin now: the present certificate first, then the next or the previous one where there is one. */
  certificates(): PublishedCertificate[];
  /** Reads the certificate files again at once; what is wrong with them is logged, and the old certificate stays. */
  reloadCertificate(): Promise<void>;
  /** Whether it takes connections; false after `close`, and while a dead engine is replaced. */
  readonly isListening: boolean;
  stats(): ServerStats;
}

/** One server over the engines that listen; the first one names the port. */
export function createHttp3Server(
  engines: readonly [EngineServer, ...EngineServer[]],
  source: CertificateSource,
  refusals: Refusals,
): Http3Server {
  const [first] = engines;
  let isClosed = false;
  const statsOf = () => engines.flatMap((engine) => engine.stats?.() ?? []);
  source.onChange((certificate) => {
    for (const engine of engines) engine.setCertificate?.(certificate);
  });
  return {
    // With port 0 the first one knows which it is.
    get url() {
      return first.url;
    },
    get certificateHash() {
      return source.current.hash;
    },
    certificates: () => publishedCertificates(source, Date.now()),
    reloadCertificate: () => source.reload(),
    get isListening() {
      return !isClosed && statsOf().every((stats) => stats.isListening);
    },
    stats() {
      const sum = new Refusals();
      const stats = statsOf();
      sum.addAll(refusals.counts());
      for (const { refused } of stats) sum.addAll(refused);
      return { refused: sum.counts(), engines: stats };
    },
    onSession(handler) {
      for (const engine of engines) engine.onSession(handler);
    },
    async close(code, reason) {
      isClosed = true;
      source.close();
      await Promise.all(engines.map((engine) => engine.close(code, reason)));
    },
  };
}
