import { setTimeout as sleep } from "node:timers/promises";
import { type Client, createClient } from "@sluice/client";
import {
  type ClientSources,
  clientCases,
  formatReport,
  judgeCases,
  runClientSuite,
} from "@sluice/conformance";
import { connect, listen } from "@sluice/http3";
import { createTensor } from "@sluice/tensor";
import type { Session } from "@sluice/transport";
import t from "tap";

const transport = await listen({ port: 0 });
t.teardown(() => transport.close());

const intervalMs = 20;
const elements = 3_000;

/** Streams tensors until it is told to stop; whatever ends the session ends it. */
async function stream(
  session: Session,
  signal: AbortSignal,
  isOpen: (client: Client) => void,
): Promise<void> {
  const client = await createClient(session);
  isOpen(client);
  const spec = { dtype: "uint8", shape: [elements], layout: "any" } as const;
  const tensors = await client.openStream({ model: "sink", spec, codec: "raw", deadlineMs: 1_000 });
  const tensor = createTensor("uint8", spec.shape, new Uint8Array(elements).fill(7), "any");
  while (!signal.aborted) {
    void tensors.send(tensor).catch(() => {});
    await sleep(intervalMs);
  }
}

/** Our own client in this process, in place of a command. */
const ownClient: ClientSources = {
  begin() {
    const stop = new AbortController();
    let client: Client | undefined;
    let running: Promise<void> | undefined;
    return {
      nextSession: () =>
        new Promise((resolve, reject) => {
          transport.onSession(resolve);
          running = connect(transport.url, { certificateHash: transport.certificateHash! })
            .then((session) =>
              stream(session, stop.signal, (opened) => {
                client = opened;
              }),
            )
            .catch((error: unknown) => {
              // Cases that break rules end the session; that the client says so is right.
              if ((error as Error).name !== "ClientError") reject(error as Error);
            });
        }),
      async end() {
        stop.abort();
        client?.close();
        await running;
      },
    };
  },
};

t.test("our own client passes every case of the scripted server", async (t) => {
  const report = judgeCases(await runClientSuite(ownClient), []);
  t.ok(report.ok, formatReport(report));
  t.equal(report.counts.passed, clientCases.length);
});
