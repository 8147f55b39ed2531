import { ErrorCode, type StreamTensor } from "@sluice/protocol";
import type { Clock, Session } from "@sluice/transport/core";

/**
 * Sends a tensor on a QUIC stream of its own and resets it at its deadline (spec 3.1). Resolves when the transport has
 * all of it. @throws StreamError where the peer or the session ended it
 */
export async function uploadTensor(session: Session, clock: Clock, tensor: StreamTensor): Promise<void> {
  const stream = await session.openUnidirectional();
  let timer: unknown;
  if (tensor.resetAtMs !== Number.POSITIVE_INFINITY) {
    const delayMs = Math.max(0, tensor.resetAtMs - clock.now());
    timer = clock.schedule(delayMs, () => stream.reset(ErrorCode.deadline));
  }
  try {
    await (stream.give?.(tensor.bytes) ?? stream.write(tensor.bytes));
    await stream.finish();
  } finally {
    if (timer !== undefined) clock.cancel(timer);
  }
}
