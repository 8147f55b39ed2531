import { ConnectError, type Session } from "@sluice/transport";
import type { ConnectOptions } from "../connect.js";
import { connectWithHashes, parseCertificateHashes, type WebTransportHash } from "./certificate-hashes.js";
import { SessionWebTransport } from "./session-web-transport.js";

/** https://www.w3.org/TR/webtransport/#dictdef-webtransportoptions, and what Node has besides. */
export interface WebTransportOptions {
  /** SHA-256 hashes of certificates; one of them must be the server's, and no other certificate is trusted then. */
  readonly serverCertificateHashes?: readonly WebTransportHash[];
  /** Refuses sessions without datagrams. Default false. */
  readonly requireUnreliable?: boolean;
  /** Options of {@link connect} that a browser does not have. */
  readonly node?: Omit<ConnectOptions, "certificateHash" | "certificateHashes">;
}

/**
 * The browser's `WebTransport` for Node, over any engine: `new WebTransport("https://host:port/path", { ... })`.
 * https://www.w3.org/TR/webtransport/#webtransport
 */
export class WebTransport extends SessionWebTransport {
  constructor(url: string | URL, options: WebTransportOptions = {}) {
    const hashes = parseCertificateHashes(options.serverCertificateHashes ?? []);
    super(open(parseUrl(url), hashes, options));
  }
}

function parseUrl(url: string | URL): string {
  const text = String(url);
  if (!URL.canParse(text)) throw new DOMException(`not a URL: ${JSON.stringify(text)}`, "SyntaxError");
  const { protocol, hash } = new URL(text);
  if (protocol !== "https:") throw new DOMException("the URL must begin with https://", "SyntaxError");
  if (hash !== "") throw new DOMException("the URL must have no fragment", "SyntaxError");
  return text;
}

async function open(url: string, hashes: readonly string[], options: WebTransportOptions): Promise<Session> {
  const session = await connectWithHashes(url, hashes, options.node ?? {});
  if (options.requireUnreliable === true && session.maxDatagramBytes === 0) {
    session.close();
    throw new ConnectError("rejected", "requireUnreliable: the session has no datagrams");
  }
  return session;
}
