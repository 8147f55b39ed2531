import { malformed } from "../h3/error.js";
import { checkCapsuleFields, type Message, parseMessage } from "../h3/message.js";
import type { Field } from "../h3/qpack.js";

/** What a client asked for in its CONNECT request. */
export interface ConnectRequest {
  readonly authority: string;
  readonly path: string;
  /** Fields that are not pseudo-header fields; repeated ones joined by ", ". */
  readonly headers: ReadonlyMap<string, string>;
}

const REQUEST_PSEUDO = new Set([":method", ":scheme", ":authority", ":path", ":protocol"]);
const RESPONSE_PSEUDO = new Set([":status"]);
/** Upgrade tokens (WebTransport over HTTP/3 3.2): of drafts 02 to 14, and of the later ones. */
const PROTOCOLS = new Set(["webtransport", "webtransport-h3"]);

/** The fields that open a session (RFC 9220, WebTransport over HTTP/3 3.2). */
export function createConnectFields(request: ConnectRequest): Field[] {
  return [
    [":method", "CONNECT"],
    [":protocol", "webtransport"],
    [":scheme", "https"],
    [":authority", request.authority],
    [":path", request.path],
    ["sec-webtransport-http3-draft02", "1"],
    ...[...request.headers].map(([name, value]): Field => [name.toLowerCase(), value]),
  ];
}

/** The rules for the pseudo-header fields of a request (RFC 9114 4.3.1 and 4.4, RFC 8441 4). */
function checkRequest({ pseudo, headers }: Message): void {
  const method = pseudo.get(":method");
  if (method === undefined || method === "") throw malformed("request without :method");
  const isConnect = method === "CONNECT";
  const isExtended = pseudo.has(":protocol");
  if (isExtended && !isConnect) throw malformed(":protocol in a request that is no CONNECT");
  for (const name of [":scheme", ":path"]) {
    // RFC 9114 4.4: a CONNECT has neither; RFC 8441 4: an extended one has both.
    const isWanted = !isConnect || isExtended;
    if (pseudo.has(name) !== isWanted)
      throw malformed(isWanted ? `request without ${name}` : `CONNECT with ${name}`);
  }
  const path = pseudo.get(":path");
  // RFC 9114 4.3.1: not empty for https; RFC 9112 3.2: absolute, or the asterisk of OPTIONS.
  if (path !== undefined && !path.startsWith("/") && !(method === "OPTIONS" && path === "*")) {
    throw malformed(`:path ${JSON.stringify(path)}`);
  }
  const authority = pseudo.get(":authority");
  const host = headers.get("host");
  // RFC 9114 4.3.1: one of them, not empty, the same where both are there, without user information.
  if (authority !== undefined && host !== undefined && authority !== host)
    throw malformed(":authority is not host");
  const target = authority ?? host ?? "";
  if (target === "" || target.includes("@")) throw malformed(`:authority ${JSON.stringify(target)}`);
}

/** The request in `fields`, or the HTTP status that answers one that opens no session. */
export function parseConnectFields(fields: readonly Field[]): ConnectRequest | number {
  const message = parseMessage(fields, REQUEST_PSEUDO);
  checkRequest(message);
  const { pseudo, headers } = message;
  if (pseudo.get(":method") !== "CONNECT") return 405;
  if (!PROTOCOLS.has(pseudo.get(":protocol") ?? "")) return 501;
  checkCapsuleFields(message);
  // WebTransport over HTTP/3 3.2: the scheme is https.
  if (pseudo.get(":scheme") !== "https") return 400;
  return {
    authority: pseudo.get(":authority") ?? headers.get("host") ?? "",
    path: pseudo.get(":path") ?? "",
    headers,
  };
}

/** Fields that answer a request. */
export function createResponseFields(status: number): Field[] {
  const fields: Field[] = [[":status", String(status)]];
  if (status === 200) fields.push(["sec-webtransport-http3-draft", "draft02"]);
  return fields;
}

/** The status of a response; 1xx are interim ones. */
export function parseResponseStatus(fields: readonly Field[]): number {
  const message = parseMessage(fields, RESPONSE_PSEUDO);
  const text = message.pseudo.get(":status") ?? "";
  if (!/^[1-9][0-9][0-9]$/.test(text)) throw malformed(`status ${JSON.stringify(text)}`); // RFC 9114 4.3.2
  const status = Number(text);
  if (status === 101) throw malformed("status 101"); // RFC 9114 4.5
  if (status >= 200 && status < 300) {
    checkCapsuleFields(message);
    if (status >= 204 && status <= 206) throw malformed(`status ${status} beside capsules`); // RFC 9297 3.2
  }
  return status;
}
