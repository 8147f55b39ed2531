import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { connect, ENGINE_FAILED_CODE, type ServerStats } from "@sluice/http3";
import type { CloseInfo, Session } from "@sluice/transport";
import t from "tap";

t.setTimeout(120_000);

interface Reports {
  listening: { url: string; hash: string };
  stats: { stats: ServerStats; url: string };
  "inside-closed": { info: CloseInfo };
}

/** The reply to a datagram; it is sent again until one comes. */
async function echo(session: Session): Promise<number[]> {
  let isDone = false;
  const reply = new Promise<readonly Uint8Array[]>((resolve) => session.onDatagrams(resolve));
  void reply.then(() => {
    isDone = true;
  });
  while (!isDone) {
    session.sendDatagram(Uint8Array.of(1, 2, 3));
    await Promise.race([reply, new Promise((resolve) => setTimeout(resolve, 100))]);
  }
  return [...((await reply)[0] ?? [])];
}

for (const [fault, kind] of [
  ["hang", "hang"],
  ["throw", "crash"],
  ["exit", "crash"],
] as const) {
  t.test(`a server process goes on after a worker's ${fault}, and clients come back`, async (t) => {
    const child = fork(fileURLToPath(new URL("./faulty-server.js", import.meta.url)));
    t.teardown(() => child.kill("SIGKILL"));
    const reports = new Map<string, (report: never) => void>();
    child.on("message", (report: { type: keyof Reports }) => reports.get(report.type)?.(report as never));
    const next = <T extends keyof Reports>(type: T): Promise<Reports[T]> =>
      new Promise((resolve) => reports.set(type, resolve));
    const { url, hash } = await next("listening");
    const open = () => connect(url, { engine: "quiche", certificateHash: hash, idleTimeoutMs: 1500 });

    const session = await open();
    t.strictSame(await echo(session), [1, 2, 3]);
    const insideClosed = next("inside-closed");
    child.send(fault);
    const { info } = await insideClosed;
    t.match(info, { by: "transport", code: ENGINE_FAILED_CODE }, "a client in the same process");
    t.match(await session.closed, { by: "transport" }, "a client in another process");

    // As a client does it that wants to go on.
    let again: Session | undefined;
    while (again === undefined) again = await open().catch(() => undefined);
    t.strictSame(await echo(again), [1, 2, 3]);
    again.close();
    const asked = next("stats");
    child.send("stats");
    const { stats, url: urlAfter } = await asked;
    t.strictSame(stats.engines[0]?.restarts, { hang: 0, crash: 0, [kind]: 1 });
    t.equal(urlAfter, url);
    child.send("end");
    const [code] = await once(child, "exit");
    t.equal(code, 0, "and it ends in order");
  });
}
