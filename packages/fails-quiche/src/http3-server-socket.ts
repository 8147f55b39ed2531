import { lookup } from "node:dns/promises";
import { listen } from "@sluice/http3";
import type { TransportServer } from "@sluice/transport";
import type { ServerArguments, ServerOwner } from "./contract.js";
import { debug } from "./debug.js";
import type { Http3WebTransportServer } from "./http3-server.js";

const DEFAULT_HOST = "localhost";
const DEFAULT_PORT = 443;

/** Listens, and stops. */
export class Http3WebTransportServerSocket {
  /** Both are set by the library, right after `init`. */
  cobj: Http3WebTransportServer | undefined;
  jsobj: ServerOwner | undefined;
  readonly #arguments: ServerArguments;
  #listening: Promise<TransportServer | undefined> | undefined;

  constructor(args: ServerArguments) {
    this.#arguments = args;
  }

  init(): void {
    this.#listening ??= this.#listen();
  }

  stopServer(): void {
    void this.#listening?.then(async (server) => {
      if (server === undefined) return;
      await server.close();
      this.jsobj?.onServerClose();
    });
  }

  /** Resolves to nothing where it failed, which the library was told. */
  async #listen(): Promise<TransportServer | undefined> {
    const { host = DEFAULT_HOST, port = DEFAULT_PORT, cert, privKey, maxConnections } = this.#arguments;
    try {
      const { address } = await lookup(host);
      const server = await listen({
        engine: "quiche",
        host: address,
        port: Number(port),
        certificate: { cert: onlyOne("cert", cert), key: onlyOne("privKey", privKey) },
        ...(maxConnections === undefined ? {} : { maxConnections }),
        authorize: (request) => this.cobj?.authorize(request) ?? 503,
        log: (level, message, fields) => debug("%s: %s %o", level, message, fields),
      });
      server.onSession((session, request) => this.cobj?.takeSession(session, request));
      this.jsobj?.onServerListening({ host: address, port: Number(new URL(server.url).port) });
      return server;
    } catch (error) {
      this.jsobj?.onServerError(error instanceof Error ? error : new Error(String(error)));
      return undefined;
    }
  }
}

function onlyOne(field: string, value: string | readonly string[]): string {
  if (typeof value === "string") return value;
  const [first, ...others] = value;
  if (first === undefined || others.length > 0) {
    throw new Error(`${field}: exactly one is needed, got ${value.length}`);
  }
  return first;
}
