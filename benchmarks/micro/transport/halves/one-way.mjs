import { measureWindow } from "../usage.mjs";
import { createPayload } from "./payload.mjs";

/** Counts datagrams within the window. `begin` resolves when the client starts. */
export async function serve(session, parameters, begin) {
  let received = 0;
  session.onDatagrams((batch) => {
    received += batch.length;
  });
  await begin;
  const usage = await measureWindow(parameters, () => {
    received = 0;
  });
  return { received, ...usage };
}

/** Sends as fast as the queue takes datagrams. */
export async function drive(session, parameters) {
  const payload = createPayload(parameters.datagramBytes);
  let sent = 0;
  let isDone = false;
  const sending = (async () => {
    while (!isDone) {
      while (!isDone && session.sendDatagram(payload)) sent += 1;
      await session.hasRoom();
    }
  })();
  const usage = await measureWindow(parameters, () => {
    sent = 0;
  });
  const sentInWindow = sent;
  isDone = true;
  await Promise.race([sending, new Promise((resolve) => setTimeout(resolve, 100))]);
  return { sent: sentInWindow, ...usage };
}
