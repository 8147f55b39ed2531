import { H3_CODE, H3Error } from "../h3/error.js";
import type { Field } from "../h3/qpack.js";

/** What a client asked for in its CONNECT request. */
export interface ConnectRequest {
  readonly authority: string;
  readonly path: string;
  /** Fields that are not pseudo-header fields; repeated ones joined by ", ". */
  readonly headers: ReadonlyMap<string, string>;
}

/** The fields that open a session (RFC 9220, WebTransport over HTTP/3 3.3). */
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

interface Message {
  readonly pseudo: ReadonlyMap<string, string>;
  readonly headers: ReadonlyMap<string, string>;
}

/** Sorts fields and checks the rules that both messages share (RFC 9114 4.2, 4.3). */
function parseMessage(fields: readonly Field[]): Message {
  const pseudo = new Map<string, string>();
  const headers = new Map<string, string>();
  for (const [name, value] of fields) {
    if (name === "" || /[A-Z\s]/.test(name)) {
      throw new H3Error(H3_CODE.MESSAGE_ERROR, `field name ${JSON.stringify(name)}`);
    }
    if (name.startsWith(":")) {
      if (pseudo.has(name) || headers.size > 0) throw new H3Error(H3_CODE.MESSAGE_ERROR, `misplaced ${name}`);
      pseudo.set(name, value);
    } else {
      const before = headers.get(name);
      headers.set(name, before === undefined ? value : `${before}, ${value}`);
    }
  }
  return { pseudo, headers };
}

/** The request in `fields`, or the HTTP status that answers one that opens no session. */
export function parseConnectFields(fields: readonly Field[]): ConnectRequest | number {
  const { pseudo, headers } = parseMessage(fields);
  const path = pseudo.get(":path");
  const authority = pseudo.get(":authority") ?? headers.get("host");
  if (!pseudo.has(":method")) throw new H3Error(H3_CODE.MESSAGE_ERROR, "request without :method");
  if (pseudo.get(":method") !== "CONNECT") return 405;
  if (!(pseudo.get(":protocol") ?? "").startsWith("webtransport")) return 501;
  if (path === undefined || !path.startsWith("/") || authority === undefined) return 400;
  return { authority, path, headers };
}

/** Fields that answer a request. */
export function createResponseFields(status: number): Field[] {
  const fields: Field[] = [[":status", String(status)]];
  if (status === 200) fields.push(["sec-webtransport-http3-draft", "draft02"]);
  return fields;
}

/** The status of a response; 1xx are interim ones. */
export function parseResponseStatus(fields: readonly Field[]): number {
  const status = parseMessage(fields).pseudo.get(":status") ?? "";
  if (!/^[1-9][0-9][0-9]$/.test(status)) {
    throw new H3Error(H3_CODE.MESSAGE_ERROR, `status ${JSON.stringify(status)}`);
  }
  return Number(status);
}
