import type { ProcessCensus } from "./census.js";
import { Child } from "./child.js";
import type { AttackResult } from "./hostile-process.js";
import type { ServerAddress } from "./server-process.js";

export interface AttackStormResult {
  readonly attack: AttackResult;
  readonly server: ProcessCensus;
}

/** Opens real QUIC connections that speak malformed HTTP/3, beside a healthy session that has to go on. */
export async function runAttackStorm(options: { seed: string; count: number }): Promise<AttackStormResult> {
  const server = new Child("server-process");
  const hostile = new Child("hostile-process");
  const client = new Child("client-process");
  try {
    const address = await server.call<ServerAddress>("listen");
    await client.call("hold", address);
    let isOver = false;
    const attack = hostile
      .call<AttackResult>("attack", { seed: options.seed, port: address.port, count: options.count })
      .finally(() => {
        isOver = true;
      });
    do await client.call("probe");
    while (!isOver);
    const result = await attack;
    await client.call("probe");
    await client.call("release");
    return { attack: result, server: await server.call("census") };
  } finally {
    await Promise.all([server.end(), hostile.end(), client.end()]);
  }
}
