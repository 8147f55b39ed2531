// The protocol's two cores on virtual time over a seeded link that loses datagrams: neither transport, nor codec, nor model.
import { createVirtualSession, streamOptions } from "../../packages/protocol/dist/test/virtual-session.js";
import {
  link,
  lossyLink,
  maxFramesInFlight,
  maxOffers,
  offerAgainMs,
  streamOptionsOf,
  warmUpFrames,
} from "./path.mjs";
import { sentSince } from "./sent-since.mjs";

const openMs = 300;
/** What the server takes for a frame. */
const serviceMs = 1;

/**
 * Sends the slices of every image at its time, as a client does.
 * @param encoded the slices of every image
 * @returns `arrived`: of every image the slices that the server had when it answered, none where the answer was late;
 *   and of all what was sent
 */
export function streamVirtually(encoded, { spec, units, lossProcess, rate, condition, options }) {
  const session = createVirtualSession({
    ...{ seed: options.seed, up: lossyLink(lossProcess, rate), down: link, serviceMs, units },
    ...{ maxDatagramBytes: options.datagram, limits: { maxFramesInFlight } },
  });
  const { client, clock } = session;
  const own = { ...streamOptions, spec, ...streamOptionsOf(condition, options) };
  const stream = client.openStream(own);
  session.runUntil(openMs);
  const imageOfFrame = new Map();
  let before;
  let turnedAway = 0;
  function offer(image, slices, offers) {
    const nowMs = clock.now();
    if (image === 0 && offers === 1) before = client.figures;
    const decision = client.offer(stream, nowMs, nowMs);
    if (decision.admitted) {
      imageOfFrame.set(decision.frame, image);
      client.submit(stream, decision.frame, slices, undefined, nowMs);
    } else if (offers < maxOffers) {
      clock.after(offerAgainMs, () => offer(image, slices, offers + 1));
    } else if (image >= 0) turnedAway++;
    session.pump();
  }
  const intervalMs = 1_000 / options.fps;
  const count = warmUpFrames + encoded.length;
  for (let i = 0; i < count; i++) {
    const image = i - warmUpFrames;
    const slices = encoded[image < 0 ? i % encoded.length : image];
    clock.at(openMs + i * intervalMs, () => offer(image, slices, 1));
  }
  session.runUntil(openMs + count * intervalMs + maxOffers * offerAgainMs + options.deadlineMs);
  return {
    ...gather(session, imageOfFrame, encoded.length),
    turnedAway: turnedAway / encoded.length,
    sent: sentSince(before, client.figures, encoded.length),
  };
}

function gather({ clientEvents, serverEvents }, imageOfFrame, images) {
  const arrived = Array.from({ length: images }, () => []);
  const inTime = new Set(
    clientEvents.flatMap(({ type, frame, onTime }) => (type === "delivered" && onTime ? [frame.frame] : [])),
  );
  let recoveredSlices = 0;
  for (const event of serverEvents) {
    if (event.type !== "frame" || !inTime.has(event.frame.frame)) continue;
    const image = imageOfFrame.get(event.frame.frame);
    if (image < 0) continue;
    arrived[image] = event.frame.slices;
    recoveredSlices += event.frame.slices.filter(({ isRecovered }) => isRecovered).length;
  }
  return { arrived, recoveredSlices };
}
