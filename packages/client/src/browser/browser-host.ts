/** What of a browser is used here, as structures: this package is built without the DOM's types. */
import type { W3cWebSocket } from "@sluice/transport";
import type { TimerHost, W3cWebTransport } from "@sluice/transport/core";

/** https://www.w3.org/TR/webtransport/#dictdef-webtransportoptions, as far as it is used. */
export interface W3cWebTransportOptions {
  readonly serverCertificateHashes?: readonly {
    readonly algorithm: "sha-256";
    readonly value: Uint8Array<ArrayBuffer>;
  }[];
  readonly congestionControl?: "low-latency";
}

/** A page's or a worker's global object. Both constructors may be missing: in old browsers, and where a page is no secure context. */
export interface BrowserHost extends TimerHost {
  readonly WebTransport?: new (url: string, options: W3cWebTransportOptions) => W3cWebTransport;
  readonly WebSocket?: new (url: string, protocol: string) => W3cWebSocket;
  readonly isSecureContext?: boolean;
}
