import { ConnectError, type Session } from "@sluice/transport";
import { type ConnectOptions, connect } from "../connect.js";
import { SessionWebTransport } from "./session-web-transport.js";
import { type Chunk, toBytes } from "./streams.js";

/** https://www.w3.org/TR/webtransport/#dictdef-webtransporthash */
export interface WebTransportHash {
  readonly algorithm: string;
  readonly value: Chunk;
}

/** https://www.w3.org/TR/webtransport/#dictdef-webtransportoptions, and what Node has besides. */
export interface WebTransportOptions {
  /** SHA-256 hashes of certificates; one of them must be the server's, and no other certificate is trusted then. */
  readonly serverCertificateHashes?: readonly WebTransportHash[];
  /** Refuses sessions without datagrams. Default false. */
  readonly requireUnreliable?: boolean;
  /** Options of {@link connect} that a browser does not have. */
  readonly node?: Omit<ConnectOptions, "certificateHash">;
}

const SHA256_BYTES = 32;
/** Each hash costs a handshake where it is not the server's. */
const MAX_HASHES = 4;

/**
 * The browser's `WebTransport` for Node, over any engine: `new WebTransport("https://host:port/path", { ... })`.
 * https://www.w3.org/TR/webtransport/#webtransport
 */
export class WebTransport extends SessionWebTransport {
  constructor(url: string | URL, options: WebTransportOptions = {}) {
    const hashes = parseHashes(options.serverCertificateHashes ?? []);
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

function parseHashes(hashes: readonly WebTransportHash[]): string[] {
  // Unknown algorithms are ignored (WebTransport, 6.10); if nothing is left, nothing is trusted.
  const known = hashes.filter(({ algorithm }) => algorithm.toLowerCase() === "sha-256");
  if (hashes.length > 0 && known.length === 0) {
    throw new DOMException("serverCertificateHashes: only sha-256 is known", "NotSupportedError");
  }
  if (known.length > MAX_HASHES) {
    throw new RangeError(`serverCertificateHashes: at most ${MAX_HASHES}, got ${known.length}`);
  }
  return known.map(({ value }) => {
    const bytes = toBytes(value);
    if (bytes.byteLength !== SHA256_BYTES) {
      throw new TypeError(`serverCertificateHashes: a sha-256 has 32 bytes, got ${bytes.byteLength}`);
    }
    return Buffer.from(bytes).toString("hex");
  });
}

async function open(url: string, hashes: readonly string[], options: WebTransportOptions): Promise<Session> {
  const session = await connectWithOneOf(url, hashes, options.node ?? {});
  if (options.requireUnreliable === true && session.maxDatagramBytes === 0) {
    session.close();
    throw new ConnectError("rejected", "requireUnreliable: the session has no datagrams");
  }
  return session;
}

async function connectWithOneOf(
  url: string,
  hashes: readonly string[],
  options: ConnectOptions,
): Promise<Session> {
  for (const certificateHash of hashes.slice(0, -1)) {
    try {
      return await connect(url, { ...options, certificateHash });
    } catch (error) {
      if (!(error instanceof ConnectError) || error.kind !== "certificate") throw error;
    }
  }
  const last = hashes.at(-1);
  return connect(url, last === undefined ? options : { ...options, certificateHash: last });
}
