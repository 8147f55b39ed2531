import type { CaseResult } from "../case-report.js";
import type { LiveCase } from "./live-case.js";
import type { RawPeer } from "./raw-peer.js";
import { createServerContext, type ServerContext, type ServerTarget } from "./server-context.js";
import { serverFrameCases } from "./server-frame-cases.js";
import { serverLossCases } from "./server-loss-cases.js";
import { serverSessionCases } from "./server-session-cases.js";

export const serverCases: readonly LiveCase<ServerContext>[] = [
  ...serverSessionCases,
  ...serverFrameCases,
  ...serverLossCases,
];

/** Some cases wait for a time-out of the other side; they run beside each other. */
const parallel = 4;

/** Runs the cases against a server, each in a session of its own. */
export async function runServerSuite(
  target: ServerTarget,
  cases: readonly LiveCase<ServerContext>[] = serverCases,
): Promise<CaseResult[]> {
  const results = new Map<string, CaseResult>();
  const waiting = [...cases];
  const work = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const opened: RawPeer[] = [];
      const failure = await next.run(createServerContext(target, opened)).then(
        () => undefined,
        (error: unknown) => (error instanceof Error ? error.message : String(error)),
      );
      for (const peer of opened) peer.close();
      results.set(next.id, { id: next.id, failure });
    }
  };
  await Promise.all(Array.from({ length: parallel }, work));
  return cases.map(({ id }) => results.get(id)!);
}
