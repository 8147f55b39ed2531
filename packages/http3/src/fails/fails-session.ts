import {
  createW3cSession,
  type Session,
  type W3cStats,
  type W3cStreamErrors,
  type W3cWebTransport,
} from "@sluice/transport";

/** Codes beyond this are cut to it (`lib/stream.js` of version 1.6.8). */
const MAX_CODE = 255;

/** This library has codes in `code` on the way out, and in the text of the message on the way in. */
const errors: W3cStreamErrors = {
  create: (code) => Object.assign(new Error(`code ${code}`), { code: Math.min(code, MAX_CODE) }),
  codeOf(error) {
    const text = error instanceof Error ? error.message : "";
    const match = /^(?:Resetstream|StopSending) with code:(\d{1,10})$/.exec(text);
    return match === null ? undefined : Number(match[1]);
  },
};

/** A session over an open WebTransport object of `@fails-components/webtransport`. */
export function createFailsSession(transport: W3cWebTransport): Session {
  const getStats = transport.getStats?.bind(transport);
  return createW3cSession(
    {
      ready: transport.ready,
      closed: transport.closed,
      datagrams: transport.datagrams,
      incomingBidirectionalStreams: transport.incomingBidirectionalStreams,
      incomingUnidirectionalStreams: transport.incomingUnidirectionalStreams,
      createBidirectionalStream: () => transport.createBidirectionalStream(),
      createUnidirectionalStream: () => transport.createUnidirectionalStream(),
      close: (info) => transport.close(info),
      ...(getStats === undefined ? {} : { getStats: () => getStats().then(keepKnown) }),
    },
    { errors },
  );
}

/** Every other figure is always 0, which would be taken for a measurement. */
function keepKnown({ smoothedRtt, estimatedSendRate }: W3cStats): W3cStats {
  return {
    ...(smoothedRtt == null || smoothedRtt === 0 ? {} : { smoothedRtt }),
    ...(estimatedSendRate == null || estimatedSendRate === 0 ? {} : { estimatedSendRate }),
  };
}
