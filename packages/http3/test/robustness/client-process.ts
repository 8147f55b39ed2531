// A client for the robustness tests: commands `sequence`, `crowd`, `hold`, `probe` and `census`.
import { connect } from "@sluice/http3";
import type { Session } from "@sluice/transport";
import { takeProcessCensus } from "./census.js";
import { probe } from "./echo-probe.js";
import { serveCommands } from "./serve-commands.js";
import type { ServerAddress } from "./server-process.js";

const TIMEOUT_MS = 60_000;
let held: Session | undefined;

function open({ url, certificateHash }: ServerAddress): Promise<Session> {
  return connect(url, { certificateHash, engine: "quiche", timeoutMs: TIMEOUT_MS });
}

async function close(session: Session): Promise<void> {
  session.close(0, "");
  await session.closed;
}

serveCommands({
  /** One session after another, each used once. */
  async sequence({ server, count }: { server: ServerAddress; count: number }): Promise<void> {
    for (let i = 0; i < count; i++) {
      const session = await open(server);
      await probe(session);
      await close(session);
    }
  },
  /** Sessions at the same time: all open, then all used, then all closed. */
  async crowd({ server, count }: { server: ServerAddress; count: number }): Promise<void> {
    const sessions = await Promise.all(Array.from({ length: count }, () => open(server)));
    await Promise.all(sessions.map(probe));
    await Promise.all(sessions.map(close));
  },
  async hold(server: ServerAddress): Promise<void> {
    held = await open(server);
  },
  async probe(): Promise<void> {
    if (held === undefined) throw new Error("nothing is held");
    await probe(held);
  },
  async release(): Promise<void> {
    if (held !== undefined) await close(held);
    held = undefined;
  },
  census: takeProcessCensus,
});
