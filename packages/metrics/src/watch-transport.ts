import { Counter, Gauge, type Registry } from "prom-client";

/** What a transport tells about itself, as counts since its start; `Http3Server` of `@sluice/http3` has it all. */
export interface TransportFigures {
  /** Clients that were not served, by reason. */
  readonly refused: Readonly<Record<string, number>>;
  readonly engines: readonly {
    readonly engine: string;
    readonly isListening: boolean;
    readonly connections: number;
    readonly handshakes: number;
    readonly retries: number;
    readonly dropped?: { readonly packets: number; readonly datagrams: number; readonly ignored: number };
    readonly restarts: { readonly hang: number; readonly crash: number };
  }[];
  /** When the certificate of new connections ends. */
  readonly certificateNotAfter?: Date;
}

/** Registers the metrics of a transport, which are read anew for each scrape. */
export function watchTransport(registry: Registry, read: () => TransportFigures): void {
  const registers = [registry];
  new Counter({
    name: "sluice_sessions_rejected_total",
    help: "Attempts to open a connection or a session that were refused, by reason.",
    labelNames: ["reason"],
    registers,
    collect() {
      this.reset();
      for (const [reason, count] of Object.entries(read().refused)) this.inc({ reason }, count);
    },
  });
  new Counter({
    name: "sluice_engine_restarts_total",
    help: "Replacements of a transport engine that hung or crashed; its sessions were lost.",
    labelNames: ["engine", "reason"],
    registers,
    collect() {
      this.reset();
      for (const { engine, restarts } of read().engines) {
        this.inc({ engine, reason: "hang" }, restarts.hang);
        this.inc({ engine, reason: "crash" }, restarts.crash);
      }
    },
  });
  new Counter({
    name: "sluice_retries_sent_total",
    help: "Clients that were asked to prove their address (RFC 9000 8.1.2).",
    labelNames: ["engine"],
    registers,
    collect() {
      this.reset();
      for (const { engine, retries } of read().engines) this.inc({ engine }, retries);
    },
  });
  new Counter({
    name: "sluice_transport_dropped_total",
    help: "Packets and datagrams of clients that were lost unread: too many of their session waited, or (ignored) packets of sessions far beyond their limits.",
    labelNames: ["engine", "what"],
    registers,
    collect() {
      this.reset();
      for (const { engine, dropped } of read().engines) {
        if (dropped === undefined) continue;
        this.inc({ engine, what: "packets" }, dropped.packets);
        this.inc({ engine, what: "datagrams" }, dropped.datagrams);
        this.inc({ engine, what: "ignored" }, dropped.ignored);
      }
    },
  });
  const gauge = (name: string, help: string, pick: (engine: TransportFigures["engines"][number]) => number) =>
    new Gauge({
      name,
      help,
      labelNames: ["engine"],
      registers,
      collect() {
        this.reset();
        for (const figures of read().engines) this.set({ engine: figures.engine }, pick(figures));
      },
    });
  gauge("sluice_connections", "Transport connections that are open.", ({ connections }) => connections);
  gauge("sluice_handshakes", "Transport connections that are shaking hands.", ({ handshakes }) => handshakes);
  gauge("sluice_engine_up", "1 while the engine takes connections.", ({ isListening }) =>
    Number(isListening),
  );
  new Gauge({
    name: "sluice_certificate_not_after_seconds",
    help: "Unix time at which the certificate of new connections ends.",
    registers,
    collect() {
      const { certificateNotAfter } = read();
      if (certificateNotAfter !== undefined) this.set(certificateNotAfter.getTime() / 1000);
    },
  });
}
