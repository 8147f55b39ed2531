/**
 * Joins two sessions, both of which the page has opened to this process, so that what arrives in one leaves by the other.
 * In the page they look like the two ends of one session, over two real WebTransport connections.
 */
import { type ReceiveStream, type SendStream, type Session, StreamError } from "@sluice/transport";

export function bridgeSessions(a: Session, b: Session): void {
  forward(a, b);
  forward(b, a);
}

function forward(from: Session, to: Session): void {
  from.onDatagrams((batch) => {
    for (const datagram of batch) to.sendDatagram(datagram);
  });
  from.onUnidirectional((receive) => {
    void to.openUnidirectional().then(
      (send) => copy(receive, send),
      () => {},
    );
  });
  from.onBidirectional((near) => {
    void to.openBidirectional().then(
      (far) => {
        void copy(near.receive, far.send);
        void copy(far.receive, near.send);
      },
      () => {},
    );
  });
  void from.closed.then(({ code, reason }) => to.close(code, reason));
}

/** Carries bytes, the end, a reset forwards, and a stop backwards. */
async function copy(receive: ReceiveStream, send: SendStream): Promise<void> {
  try {
    for (let chunk = await receive.read(); chunk !== undefined; chunk = await receive.read())
      await send.write(chunk);
    await send.finish();
  } catch (error) {
    if (!(error instanceof StreamError)) throw error;
    if (error.kind === "reset") send.reset(error.code);
    if (error.kind === "stopped") receive.stop(error.code);
  }
}
