import { measureWindow } from "../usage.mjs";
import { createPayload } from "./payload.mjs";

export { serve } from "./one-way.mjs";

const TICK_MS = 1;
/** After a stall: what is missed beyond it stays missed. */
const MAX_BURST = 100;

/** Sends `datagramsPerSecond`, evenly by the clock. */
export async function drive(session, parameters) {
  const payload = createPayload(parameters.datagramBytes);
  const startMs = performance.now();
  let due = 0;
  let sent = 0;
  const timer = setInterval(() => {
    const elapsedMs = performance.now() - startMs;
    const total = Math.floor((elapsedMs * parameters.datagramsPerSecond) / 1000);
    for (let i = Math.max(due, total - MAX_BURST); i < total; i++) {
      if (session.sendDatagram(payload)) sent += 1;
    }
    due = total;
  }, TICK_MS);
  const usage = await measureWindow(parameters, () => {
    sent = 0;
  });
  clearInterval(timer);
  return { sent, ...usage };
}
