import type { Session } from "@sluice/transport";

/** Sends a few bytes over a stream of their own and reads them back. @throws where they do not come back. */
export async function probe(session: Session): Promise<void> {
  const { send, receive } = await session.openBidirectional();
  await send.write(Uint8Array.of(1, 2, 3));
  await send.finish();
  const back: number[] = [];
  for (let part = await receive.read(); part !== undefined; part = await receive.read()) back.push(...part);
  if (back.join() !== "1,2,3") throw new Error(`sent 1,2,3 and got ${back.join()}`);
}
