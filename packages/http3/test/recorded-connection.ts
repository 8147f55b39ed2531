import { WebTransportConnection } from "#src/webtransport/connection.js";
import type { ConnectRequest } from "#src/webtransport/request.js";
import type { WebTransportSession } from "#src/webtransport/session.js";
import { FakeQuic } from "./fake-quic.js";

/** A connection on a fake QUIC whose events become lines of text. */
export function createRecordedConnection(role: "client" | "server") {
  const quic = new FakeQuic();
  const log: string[] = [];
  const sessions: WebTransportSession[] = [];
  const requests: ConnectRequest[] = [];
  const connection = new WebTransportConnection(
    role,
    quic,
    {
      onReady: () => log.push("ready"),
      onRequest(session, request) {
        sessions.push(session);
        requests.push(request);
        log.push(`request ${request.authority}${request.path}`);
      },
      onResponse: (_session, status) => log.push(`response ${status}`),
      onSessionClosed: (_session, info) => log.push(`closed ${info.code} ${info.reason} ${info.by}`),
      onStream: (stream, isBidirectional) => log.push(`${isBidirectional ? "bidi" : "uni"} ${stream.handle}`),
      onStreamData: (stream, bytes, fin) =>
        log.push(`data ${stream.handle} ${Buffer.from(bytes).toString()}${fin ? " fin" : ""}`),
      onStreamReset: (stream, code) => log.push(`reset ${stream.handle} ${code}`),
      onStreamStopped: (stream, code) => log.push(`stopped ${stream.handle} ${code}`),
      onStreamCredit() {},
      onStreamOpened: (stream) => log.push(`opened ${stream.handle}`),
      onStreamFinished: (stream) => log.push(`finished ${stream.handle}`),
      onDatagram: (_session, payload) => log.push(`datagram ${Buffer.from(payload).toString()}`),
      onSessionEnded() {},
      onCloseConnection: (code) => log.push(`close connection 0x${code.toString(16)}`),
    },
    1 << 20,
    new Uint8Array(65_536),
  );
  return { quic, log, sessions, requests, connection };
}
