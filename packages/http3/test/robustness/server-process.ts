// A server that echoes, for the robustness tests: commands `listen` and `census`.
import { type ListenOptions, listen } from "@sluice/http3";
import type { BidirectionalStream } from "@sluice/transport";
import { takeProcessCensus } from "./census.js";
import { faults, serveCommands } from "./serve-commands.js";

export interface ServerAddress {
  readonly url: string;
  readonly port: number;
  readonly certificateHash: string;
}

async function echo({ send, receive }: BidirectionalStream): Promise<void> {
  try {
    for (let part = await receive.read(); part !== undefined; part = await receive.read())
      await send.write(part);
    await send.finish();
  } catch {
    send.reset(0); // Whoever gives up its half wants no more of ours.
  }
}

serveCommands({
  async listen(options: Partial<ListenOptions>): Promise<ServerAddress> {
    const server = await listen({
      port: 0,
      engine: "quiche",
      ...options,
      log(level, message, fields) {
        if (level === "error") faults.push(`${message} ${JSON.stringify(fields)}`);
      },
    });
    server.onSession((session) => {
      session.onDatagrams((batch) => {
        for (const datagram of batch) session.sendDatagram(datagram);
      });
      session.onBidirectional((stream) => void echo(stream));
      session.onUnidirectional((stream) => stream.stop(0));
    });
    return {
      url: server.url,
      port: Number(new URL(server.url).port),
      certificateHash: server.certificateHash ?? "",
    };
  },
  census: takeProcessCensus,
});
