import { measureWindow } from "../usage.mjs";
import { createPayload } from "./payload.mjs";

const CHUNK_BYTES = 1 << 16;

/** Counts the bytes of all streams within the window. */
export async function serve(session, parameters, begin) {
  let bytes = 0;
  session.onStream((stream) =>
    stream.onData((part) => {
      bytes += part.byteLength;
    }),
  );
  await begin;
  const usage = await measureWindow(parameters, () => {
    bytes = 0;
  });
  return { bytes, ...usage };
}

/** Writes on every stream as fast as its back-pressure lets it. */
export async function drive(session, parameters) {
  let isDone = false;
  for (let i = 0; i < parameters.streams; i++) {
    const stream = await session.openUnidirectional();
    const chunk = createPayload(CHUNK_BYTES, i + 1);
    void (async () => {
      while (!isDone) await stream.write(chunk);
    })().catch(() => {});
  }
  const usage = await measureWindow(parameters, () => {});
  isDone = true;
  return usage;
}
