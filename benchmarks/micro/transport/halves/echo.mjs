import { measureWindow } from "../usage.mjs";
import { createPayload } from "./payload.mjs";

/** After so long without an echo what is in flight counts as lost. */
const STALL_MS = 100;

/** Sends every datagram back. */
export async function serve(session, parameters, begin) {
  session.onDatagrams((batch) => {
    for (const datagram of batch) session.sendDatagram(datagram);
  });
  await begin;
  return measureWindow(parameters, () => {});
}

/** Keeps `inFlight` datagrams on the way and counts those that come back. */
export async function drive(session, parameters) {
  const payload = createPayload(parameters.datagramBytes);
  let onTheWay = 0;
  let received = 0;
  let lost = 0;
  let seen = 0;
  const fill = () => {
    while (onTheWay < parameters.inFlight && session.sendDatagram(payload)) onTheWay += 1;
  };
  session.onDatagrams((batch) => {
    received += batch.length;
    onTheWay = Math.max(0, onTheWay - batch.length);
    fill();
  });
  fill();
  const timer = setInterval(() => {
    if (received === seen) {
      lost += onTheWay;
      onTheWay = 0;
      fill();
    }
    seen = received;
  }, STALL_MS);
  const usage = await measureWindow(parameters, () => {
    received = 0;
    seen = -1;
    lost = 0;
  });
  clearInterval(timer);
  return { received, lost, ...usage };
}
