import { Gauge, type Registry } from "prom-client";

/** What waits in a server at this moment; `Server.queues()` of `@sluice/server` has this form. */
export interface QueueFigures {
  /** Frames of all sessions that wait for the networks, and the bytes that they hold. */
  readonly frames: number;
  readonly frameBytes: number;
  /** Datagrams of all sessions that their transports have not sent yet. */
  readonly datagrams: number;
}

/** Registers how full the queues are, read anew for each scrape. */
export function watchQueues(registry: Registry, read: () => QueueFigures): void {
  const gauge = (name: string, help: string, pick: (figures: QueueFigures) => number) =>
    new Gauge({
      ...{ name, help, registers: [registry] },
      collect() {
        this.set(pick(read()));
      },
    });
  gauge("sluice_frames_queued", "Frames that wait for the networks.", ({ frames }) => frames);
  gauge("sluice_frames_queued_bytes", "Bytes of the frames that wait.", ({ frameBytes }) => frameBytes);
  gauge("sluice_datagrams_queued", "Datagrams that wait to be sent.", ({ datagrams }) => datagrams);
}
