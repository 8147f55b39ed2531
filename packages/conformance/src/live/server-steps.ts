/** What cases of the server suite have in common. */
import { setTimeout as sleep } from "node:timers/promises";
import type { ErrorCode } from "@sluice/protocol";
import type { LiveCase } from "./live-case.js";
import { type RawPeer, Unmet } from "./raw-peer.js";
import type { OpenFields, ServerContext } from "./server-context.js";

export type Case = LiveCase<ServerContext>;

/** Outcomes of the registry. */
export const done = 1;
export const undecodable = 3;
/** Long enough for a repeated result to be seen; nothing fails because it is too short. */
export const quietMs = 400;

/** Waits for the result of a frame of stream 1. @throws Unmet where a field is another than wanted */
export async function resultOf(peer: RawPeer, frame: number, wanted: Record<string, number>): Promise<void> {
  const result = await peer.next("result", (body) => body.stream === 1 && body.frame === frame);
  for (const [field, value] of Object.entries(wanted)) {
    const got = result[field as "elements"];
    if (got !== value) throw new Unmet(`the result of frame ${frame} has ${field} ${got}, not ${value}`);
  }
}

/** After what is sent the session must end with a code. */
export function closing(
  id: string,
  shows: readonly string[],
  code: keyof typeof ErrorCode,
  datagram: Uint8Array,
  fields?: OpenFields,
): Case {
  return {
    id,
    shows,
    async run({ opened }) {
      const peer = await opened(fields);
      peer.sendDatagram(datagram);
      await peer.closedWith(code);
    },
  };
}

/** No result of a frame may come. */
export async function staysSilent(peer: RawPeer, frame: number): Promise<void> {
  await peer.alive();
  await sleep(quietMs);
  await peer.alive();
  const count = peer.heard.filter(
    ({ message }) => message.kind === "result" && message.body.frame === frame,
  ).length;
  if (count > 0) throw new Unmet(`frame ${frame} was answered`);
}
