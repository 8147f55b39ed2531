// One cell on virtual time: the protocol's two cores over two seeded links, without transport or model.
import {
  createVirtualSession,
  streamFrames,
  streamOptions,
} from "../../packages/protocol/dist/test/virtual-session.js";
import { deadlineMs, framesPerSecond, link, protections } from "./cells.mjs";

const warmUpMs = 300;

export function simulate({ bytes, loss, burst, protection }, { seconds, seed }) {
  const lossy = { ...link, loss, burst };
  const session = createVirtualSession({ seed, up: lossy, down: lossy });
  const spec = { dtype: "uint8", shape: [bytes], layout: "any" };
  const stream = session.client.openStream({
    ...{ ...streamOptions, spec, deadlineMs },
    ...protections[protection],
  });
  session.runUntil(warmUpMs);
  const frames = Math.round(seconds * framesPerSecond);
  streamFrames(session, stream, {
    frames,
    intervalMs: 1_000 / framesPerSecond,
    bytes: new Uint8Array(bytes),
  });
  session.runUntil(warmUpMs + seconds * 1_000 + 2 * deadlineMs);
  const { offered, admitted } = session.client.figures;
  const delivered = session.clientEvents
    .filter(({ type }) => type === "delivered")
    .map(({ latencyMs, onTime, result }) => ({
      ...{ latencyMs, onTime, received: 1 - result.concealedElements / result.elements },
    }));
  return { offered, admitted, frames: delivered };
}
