import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface OperationsOptions {
  /** Name or address to listen on. Metrics tell much about a server: think twice before making them public. */
  readonly host: string;
  /** 0 to 65535; 0 lets the system choose. */
  readonly port: number;
  /** What `/metrics` answers with. */
  readonly metrics: { readonly contentType: string; text(): Promise<string> };
  /** Whether the server takes sessions now; decides between 200 and 503 on `/readyz`. */
  isReady(): boolean;
  /**
   * The JSON of `/.well-known/sluice`, made anew for each request, because certificates change; any page may read it.
   * Left out: that path is not found.
   */
  describe?(): unknown;
  /** Told when an answer could not be made. */
  readonly log?: { error(fields: object, message: string): void };
}

export interface OperationsServer {
  /** `http://host:port`, with the port that the system chose. */
  readonly url: string;
  /** Stops listening; requests in flight get a second to end. Idempotent. */
  close(): Promise<void>;
}

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

const MAX_HEADER_BYTES = 8 * 1024;
const MAX_CONNECTIONS = 128;
const REQUEST_TIMEOUT_MS = 5_000;
const IDLE_TIMEOUT_MS = 10_000;
const CLOSE_GRACE_MS = 1_000;

const plain = (status: number, body: string, headers: Readonly<Record<string, string>> = {}): Answer => ({
  status,
  type: "text/plain; charset=utf-8",
  body: `${body}\n`,
  headers,
});

function send(request: IncomingMessage, response: ServerResponse, answer: Answer): void {
  const body = Buffer.from(answer.body);
  // A body that nobody reads would stand before the next request of the connection.
  const hasBody =
    request.headers["content-length"] !== undefined || request.headers["transfer-encoding"] !== undefined;
  response.writeHead(answer.status, {
    "content-type": answer.type,
    "content-length": body.length,
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    ...(hasBody ? { connection: "close" } : {}),
    ...answer.headers,
  });
  response.end(request.method === "HEAD" ? undefined : body);
}

/**
 * Serves `/metrics`, `/healthz`, `/readyz` and `/.well-known/sluice` over HTTP, apart from the sessions' port.
 * @throws the system's error when the address cannot be bound.
 */
export async function serveOperations(options: OperationsOptions): Promise<OperationsServer> {
  const { metrics, describe } = options;
  const routes = new Map<string, () => Answer | Promise<Answer>>([
    ["/metrics", async () => ({ status: 200, type: metrics.contentType, body: await metrics.text() })],
    ["/healthz", () => plain(200, "ok")],
    ["/readyz", () => (options.isReady() ? plain(200, "ready") : plain(503, "not ready"))],
  ]);
  if (describe !== undefined) {
    routes.set("/.well-known/sluice", () => ({
      status: 200,
      type: "application/json",
      body: `${JSON.stringify(describe.call(options))}\n`,
      headers: { "access-control-allow-origin": "*" },
    }));
  }

  async function answer(request: IncomingMessage): Promise<Answer> {
    const path = (request.url ?? "/").split("?", 1)[0]!;
    const route = routes.get(path);
    if (route === undefined) return plain(404, "not found");
    if (request.method !== "GET" && request.method !== "HEAD") {
      return plain(405, "method not allowed", { allow: "GET, HEAD" });
    }
    try {
      return await route();
    } catch (error) {
      options.log?.error({ err: error, path }, "operations endpoint failed");
      return plain(500, "internal error");
    }
  }

  const server = createServer(
    {
      maxHeaderSize: MAX_HEADER_BYTES,
      headersTimeout: REQUEST_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      keepAliveTimeout: IDLE_TIMEOUT_MS,
      connectionsCheckingInterval: 1_000,
    },
    (request, response) => {
      void answer(request).then((made) => send(request, response, made));
    },
  );
  server.maxConnections = MAX_CONNECTIONS;
  server.setTimeout(IDLE_TIMEOUT_MS);
  const listening = once(server, "listening");
  server.listen(options.port, options.host);
  await listening;
  const { address, family, port } = server.address() as AddressInfo;

  async function close(): Promise<void> {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    server.closeIdleConnections();
    const grace = setTimeout(() => server.closeAllConnections(), CLOSE_GRACE_MS);
    await closed;
    clearTimeout(grace);
  }

  let closing: Promise<void> | undefined;
  return {
    url: `http://${family === "IPv6" ? `[${address}]` : address}:${port}`,
    close: () => (closing ??= close()),
  };
}
