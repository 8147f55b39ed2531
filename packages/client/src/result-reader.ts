/** Reads the large results that a server sends on unidirectional streams of their own (spec 7.4). */
import { type ClientSession, ErrorCode, maxResultStreams } from "@sluice/protocol";
import type { Clock, ReceiveStream, Session } from "@sluice/transport/core";

/** `pump`: moves what the core has to say. */
export function readResults(
  session: Session,
  core: Pick<ClientSession, "handleResultStream" | "handleResultEnd">,
  clock: Clock,
  pump: () => void,
): void {
  let nextId = 0;
  let reading = 0;

  /** @returns whether it came to its end; else nothing more of it is wanted */
  async function readAll(id: number, stream: ReceiveStream): Promise<boolean> {
    for (let chunk = await stream.read(); chunk; chunk = await stream.read()) {
      const stopCode = core.handleResultStream(id, chunk, clock.now());
      if (stopCode === undefined) continue;
      stream.stop(stopCode);
      return false;
    }
    return true;
  }

  session.onUnidirectional(async (stream) => {
    if (reading >= maxResultStreams) {
      stream.stop(ErrorCode.limitExceeded);
      return;
    }
    reading++;
    const id = nextId++;
    // A reset: the result would have been late. Or the session has ended.
    const isWhole = await readAll(id, stream).catch(() => false);
    reading--;
    core.handleResultEnd(id, isWhole, clock.now());
    pump();
  });
}
