import type { CaseResult } from "../case-report.js";
import { clientCases } from "./client-cases.js";
import { type ClientContext, createClientContext } from "./client-context.js";
import type { ClientSources } from "./client-source.js";
import type { LiveCase } from "./live-case.js";
import type { RawPeer } from "./raw-peer.js";

/** Runs the cases one after the other, each with a session that a client opens. */
export async function runClientSuite(
  sources: ClientSources,
  onCase?: (id: string) => void,
  cases: readonly LiveCase<ClientContext>[] = clientCases,
): Promise<CaseResult[]> {
  const results: CaseResult[] = [];
  for (const { id, run } of cases) {
    onCase?.(id);
    const source = sources.begin();
    const opened: RawPeer[] = [];
    const failure = await run(createClientContext(source, opened)).then(
      () => undefined,
      (error: unknown) => (error instanceof Error ? error.message : String(error)),
    );
    for (const peer of opened) peer.close();
    await source.end();
    results.push({ id, failure });
  }
  return results;
}
