/** A stream's bytes, part by part, until its end or an error. */
async function consume(receive, handler) {
  try {
    for (let part = await receive.read(); part !== undefined; part = await receive.read()) handler(part);
  } catch {
    // The end of a run closes the session under its readers.
  }
}

const wrapStream = (send, receive) => ({
  write: (data) => send.write(data),
  onData: (handler) => void consume(receive, handler),
});

/** What the measures use, over a `Session` of `@sluice/transport`. `hasRoom` waits after a full queue. */
export function wrapSession(session, hasRoom) {
  return {
    get maxDatagramBytes() {
      return session.maxDatagramBytes;
    },
    sendDatagram: (data) => session.sendDatagram(data) === "sent",
    hasRoom,
    onDatagrams: (handler) => session.onDatagrams(handler),
    openUnidirectional: async () => wrapStream(await session.openUnidirectional(), undefined),
    openBidirectional: async () => {
      const { send, receive } = await session.openBidirectional();
      return wrapStream(send, receive);
    },
    onStream: (handler) => {
      session.onUnidirectional((receive) => handler(wrapStream(undefined, receive)));
      session.onBidirectional(({ send, receive }) => handler(wrapStream(send, receive)));
    },
  };
}
