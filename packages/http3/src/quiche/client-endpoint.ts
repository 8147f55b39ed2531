import { createHash, randomBytes, X509Certificate } from "node:crypto";
import { isIP, isIPv6 } from "node:net";
import quiche from "@matrixai/quic/native/quiche.js";
import type { CloseInfo, ConnectError } from "@sluice/transport";
import { H3_CODE } from "../h3/error.js";
import type { WebTransportSession } from "../webtransport/session.js";
import { createClientConfig } from "./config.js";
import { QuicheConnection } from "./connection.js";
import type { ConnectMessage, Trust } from "./messages.js";
import { CONNECTION_ID_BYTES } from "./packet-header.js";
import type { EndpointContext } from "./server-endpoint.js";
import { UdpSocket } from "./udp-socket.js";

/**
 * TLS alerts with which we refuse a certificate, from bad_certificate to decrypt_error (a signature that does
 * not fit), as QUIC error codes (RFC 9001 4.8, RFC 8446 6.2).
 */
const FIRST_CERTIFICATE_ALERT = 0x12a;
const LAST_CERTIFICATE_ALERT = 0x133;

interface Failure {
  readonly kind: ConnectError["kind"];
  readonly message: string;
}

/** Opens one connection with one session, and reports `connected` or `connect-failed`. */
export async function connectClient(options: ConnectMessage, context: EndpointContext): Promise<void> {
  const { loop, sessions, outbox } = context;
  const where = `${options.authority} (${options.host} port ${options.port})`;
  let connection: QuicheConnection | undefined;
  let session: WebTransportSession | undefined;
  let isOpen = false;
  let failure: Failure | undefined;

  function fail(found: Failure): void {
    if (isOpen) return;
    failure ??= found;
    connection?.close(H3_CODE.NO_ERROR, "");
    loop.schedule(connection);
  }

  const socket = await UdpSocket.open(
    { host: isIPv6(options.host) ? "::" : "0.0.0.0", port: 0 },
    { host: options.host, port: options.port },
    {
      onPacket(packet, from) {
        connection?.receive(packet, { host: from.address, port: from.port }, performance.now());
        loop.schedule(connection);
      },
      onError(error) {
        if (connection === undefined || connection.isEstablished) return;
        fail({ kind: "refused", message: `nothing listens at ${where}: ${error.code ?? error.message}` });
      },
    },
  );

  if (loop.isStopped) {
    socket.close();
    return;
  }

  function finish(info: CloseInfo): void {
    if (connection === undefined) return;
    loop.forget(connection);
    socket.close();
    if (!isOpen) {
      const { kind, message } = failure ?? describeFailure(connection, info, where, options.timeoutMs);
      outbox.push({ type: "connect-failed", session: options.session, kind, message });
    }
    sessions.removeAllOf(connection);
    loop.schedule();
  }

  const ca = options.trust.type === "roots" ? options.trust.ca : undefined;
  const engine = quiche.Connection.connect(
    options.serverName,
    randomBytes(CONNECTION_ID_BYTES),
    socket.local,
    { host: options.host, port: options.port },
    createClientConfig(ca, options.quic),
  );
  const events = {
    ...sessions.streamEvents(),
    onEstablished() {
      const message = checkCertificate(options.trust, engine.peerCertChain()?.[0], Date.now());
      if (message !== undefined) failure = { kind: "certificate", message };
      return message === undefined ? undefined : "certificate";
    },
    onReady() {
      const { authority, path } = options;
      session = connection?.webTransport.openSession({ authority, path, headers: new Map(options.headers) });
    },
    onRequest() {},
    onResponse(answered: WebTransportSession, status: number) {
      if (connection === undefined || answered !== session) return;
      if (status >= 300) {
        fail({ kind: "rejected", message: `${where} refused the session with HTTP status ${status}` });
        return;
      }
      isOpen = true;
      const port = sessions.add(options.session, answered, connection);
      outbox.push({ type: "connected", session: options.session, ...port.facts });
    },
    onCloseConnection() {},
    onSessionEnded() {},
    onWake: (atMs: number) => {
      if (connection !== undefined) loop.wake(connection, atMs);
    },
    onGone: finish,
  };
  connection = new QuicheConnection("client", engine, socket, events, {
    peer: { host: options.host, port: options.port },
    scratch: context.scratch,
    nowMs: performance.now(),
    idleTimeoutMs: options.quic.idleTimeoutMs,
    openTimeoutMs: options.timeoutMs,
    maxPacketBytes: options.quic.maxPacketBytes,
  });
  loop.schedule(connection);
}

/** What is wrong with the server's certificate, or `undefined`. Called before any application data is sent. */
function checkCertificate(trust: Trust, der: Uint8Array | undefined, nowMs: number): string | undefined {
  if (trust.type === "none") return undefined;
  if (der === undefined) return "the server sent no certificate";
  const certificate = new X509Certificate(der);
  if (trust.type === "roots") {
    // The engine has checked the chain, and the name if there is one; addresses are left to us.
    const isNamed = isIP(trust.host) === 0 || certificate.checkIP(trust.host) !== undefined;
    return isNamed ? undefined : `the certificate is not for ${trust.host}`;
  }
  const actual = createHash("sha256").update(der).digest("hex");
  if (!trust.certificateHashes.includes(actual)) {
    return `the certificate's SHA-256 is ${actual}, expected ${trust.certificateHashes.join(" or ")}`;
  }
  if (nowMs < Date.parse(certificate.validFrom) || nowMs > Date.parse(certificate.validTo)) {
    return `the certificate is valid from ${certificate.validFrom} to ${certificate.validTo} only`;
  }
  return undefined;
}

function describeFailure(
  { connection }: QuicheConnection,
  info: CloseInfo,
  where: string,
  timeoutMs: number,
): Failure {
  const local = connection.localError();
  const peer = connection.peerError();
  const code = local?.errorCode ?? 0;
  const isCertificate =
    local !== null && !local.isApp && code >= FIRST_CERTIFICATE_ALERT && code <= LAST_CERTIFICATE_ALERT;
  if (isCertificate) {
    return {
      kind: "certificate",
      message: `the certificate of ${where} is not trusted (TLS alert ${code - 0x100})`,
    };
  }
  if (info.reason.includes("timed out")) {
    return { kind: "timeout", message: `no answer from ${where} within ${timeoutMs} ms` };
  }
  const why = peer === null ? info.reason : `QUIC error 0x${peer.errorCode.toString(16)}`;
  return { kind: "refused", message: `${where} refused the connection: ${why || "closed without a reason"}` };
}
