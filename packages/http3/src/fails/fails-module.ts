import { ConnectError, type W3cWebTransport } from "@sluice/transport";

/** The part of `@fails-components/webtransport` 1.6 that is used here. */
export interface FailsModule {
  readonly WebTransport: new (url: string, options: FailsClientOptions) => W3cWebTransport;
  readonly Http3Server: new (options: FailsServerOptions) => FailsServer;
  /** Settles when the loading of the native part has ended, well or not. */
  readonly quicheLoaded: Promise<unknown>;
}

export interface FailsClientOptions {
  readonly serverCertificateHashes: readonly { readonly algorithm: "sha-256"; readonly value: Uint8Array }[];
  /** Keeps it from falling back to its HTTP/2, whose streams stall. */
  readonly requireUnreliable: true;
  readonly forceIpv6: boolean;
  readonly quicConnectTimeout: number;
  readonly webTransportConnectTimeout: number;
}

export interface FailsServerOptions {
  readonly host: string;
  readonly port: number;
  /** Key of the address tokens. */
  readonly secret: string;
  readonly cert: string;
  readonly privKey: string;
  readonly maxConnections: number;
  readonly defaultDatagramsReadableMode: "default";
}

/** Header fields of a request, the pseudo-headers among them. */
export type FailsHeader = Readonly<Record<string, string | readonly string[] | undefined>>;

/** Answers a request: an HTTP status, and the name of the stream of sessions that gets it; version 1.6.8 wants a name always. */
export interface FailsAnswer {
  readonly status: number;
  readonly path: string;
  readonly userData?: object;
}

export interface FailsServerSession extends W3cWebTransport {
  readonly peerAddress: string | undefined;
  /** What the answer held. */
  readonly userData: object | undefined;
}

export interface FailsServer {
  readonly ready: Promise<unknown>;
  readonly closed: Promise<unknown>;
  startServer(): void;
  stopServer(): void;
  address(): { readonly port: number } | null;
  setRequestCallback(callback: (request: { readonly header: FailsHeader }) => Promise<FailsAnswer>): void;
  sessionStream(path: string, options: { readonly noAutoPaths: true }): AsyncIterable<FailsServerSession>;
}

export const FAILS_PACKAGES = [
  // The native part first: without it the other one loads, and writes its complaint to the console.
  "@fails-components/webtransport-transport-http3-quiche",
  "@fails-components/webtransport",
] as const;

/** Loads a package by its name. */
export type LoadPackage = (name: string) => Promise<unknown>;

/** Loads the optional packages; rejects with a `ConnectError` that says what is missing and how to get it. */
export async function loadFailsModule(load: LoadPackage): Promise<FailsModule> {
  let loaded: unknown;
  for (const name of FAILS_PACKAGES) {
    try {
      loaded = await load(name);
    } catch (cause) {
      throw new ConnectError("engine", `${name} ${explain(cause)}; ${REMEDY}`, { cause });
    }
  }
  if (!isFailsModule(loaded)) {
    throw new ConnectError("engine", `@fails-components/webtransport is not of version 1.6; ${REMEDY}`);
  }
  await loaded.quicheLoaded;
  return loaded;
}

const REMEDY =
  "the engine fails needs two optional packages: npm install @fails-components/webtransport@1.6.8 " +
  "@fails-components/webtransport-transport-http3-quiche@npm:@sluice/fails-quiche (or, instead of the second one, " +
  "@fails-components/webtransport-transport-http3-quiche@1.6.8, whose installer downloads a binary from GitHub)";

function explain(cause: unknown): string {
  if (
    typeof cause === "object" &&
    cause !== null &&
    "code" in cause &&
    cause.code === "ERR_MODULE_NOT_FOUND"
  ) {
    return "is not installed";
  }
  return `does not load: ${cause instanceof Error ? cause.message.split("\n", 1)[0] : String(cause)}`;
}

function isFailsModule(loaded: unknown): loaded is FailsModule {
  if (typeof loaded !== "object" || loaded === null) return false;
  return (
    "WebTransport" in loaded &&
    typeof loaded.WebTransport === "function" &&
    "Http3Server" in loaded &&
    typeof loaded.Http3Server === "function" &&
    "quicheLoaded" in loaded
  );
}
