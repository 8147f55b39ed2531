import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { dirname, extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { ModelError } from "@sluice/inference";
import type { ServerSummary } from "../model-summary.js";
import { describeModel, type ModelDescription, type ShownModel } from "./model-description.js";
import { createNetworkPaths } from "./network-paths.js";
import { parseConditions } from "./parse-conditions.js";
import type { ViewTap } from "./view-tap.js";
import { proxyWebSocket } from "./web-socket-proxy.js";

export interface DemoPageOptions {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** The first one is shown first. */
  readonly models: readonly ShownModel[];
  /** The server of sessions: over UDP and, at the same port number, WebSockets over TCP. */
  readonly server: {
    readonly host: string;
    readonly port: number;
    certificates(): readonly { readonly hash: string }[];
  };
  readonly tap: ViewTap;
  readonly log?: { error(fields: object, message: string): void };
}

export interface DemoPage {
  /** `http://host:port/` */
  readonly url: string;
  close(): Promise<void>;
}

interface Answer {
  readonly status?: number;
  readonly type: string;
  readonly body: string | Uint8Array;
  /** May be kept by the browser for a day. */
  readonly isFixed?: boolean;
}

const pageFolder = fileURLToPath(new URL("../site/", import.meta.url));
const runtimeFolder = dirname(createRequire(import.meta.url).resolve("onnxruntime-web/wasm"));
const maxBodyBytes = 4_096;
const types: Readonly<Record<string, string>> = {
  ".css": "text/css; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".mjs": "text/javascript; charset=utf-8",
  ".svg": "image/svg+xml",
  ".wasm": "application/wasm",
};
/** WebTransport and WebSockets go to ports of their own; everything else is the page's. */
const policy =
  "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self' 'unsafe-inline'; " +
  "connect-src 'self' https: wss: ws:; img-src 'self' data: blob:; media-src 'self' blob:; worker-src 'self'; " +
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const json = (value: unknown): Answer => ({ type: "application/json", body: JSON.stringify(value) });
const plain = (status: number, body: string): Answer => ({ status, type: "text/plain; charset=utf-8", body });

/** Serves the page, what it needs of the model, and a lossy network for each page. @throws the system's error */
export async function serveDemoPage(options: DemoPageOptions): Promise<DemoPage> {
  const { models, server: target, tap } = options;
  const descriptions = new Map<string, Promise<ModelDescription>>();
  /** The model of a request, or the first one. Looking into a network takes its time: none is before it is asked for. */
  const describe = (query: URLSearchParams): Promise<ModelDescription> => {
    const wanted = query.get("model");
    const shown = models.find(({ reference }) => reference === wanted) ?? models[0]!;
    let description = descriptions.get(shown.reference);
    if (!description) {
      description = describeModel(shown);
      descriptions.set(shown.reference, description);
    }
    return description;
  };
  const hashes = () => target.certificates().map(({ hash }) => hash);
  const paths = createNetworkPaths({
    listenHost: options.host,
    target: { host: target.host, port: target.port },
  });

  const routes: Readonly<Record<string, (query: URLSearchParams) => Promise<Answer>>> = {
    "/api/models": async () => json(models.map(({ reference }) => reference)),
    "/api/model": async (query) => json((await describe(query)).summary),
    "/api/server": async () =>
      json({ certificateHashes: hashes(), host: options.host } satisfies ServerSummary),
    "/api/clip": async (query) => json((await (await describe(query)).clip()) ?? null),
    "/api/part": async (query) => {
      try {
        return {
          type: "application/octet-stream",
          body: await (await describe(query)).part(query.get("cut") ?? ""),
        };
      } catch (error) {
        if (error instanceof ModelError) return plain(400, error.message);
        throw error;
      }
    },
    "/api/statistics": async (query) => ({
      type: "application/json",
      body: (await (await describe(query)).statistics(query.get("cut") ?? "")) ?? "null",
    }),
    "/api/view": async (query) => {
      const view = tap.read(query.get("name") ?? "");
      return view ? { type: "application/octet-stream", body: view } : plain(404, "not kept any more");
    },
  };

  async function readStatic(path: string): Promise<Answer> {
    const name = path === "/" ? "index.html" : path.slice(1);
    const isRuntime = name.startsWith("runtime/");
    const file = isRuntime ? name.slice("runtime/".length) : name;
    if (!/^[\w.-]+$/.test(file) || (isRuntime && !file.startsWith("ort-"))) return plain(404, "not found");
    const type = types[extname(file)];
    if (type === undefined) return plain(404, "not found");
    try {
      const body = await readFile(join(isRuntime ? runtimeFolder : pageFolder, file));
      return { type, body, isFixed: isRuntime };
    } catch {
      return plain(404, "not found");
    }
  }

  async function setPath(request: IncomingMessage, page: string): Promise<Answer> {
    // A page of another origin cannot send this type without being asked about, and nobody answers that.
    if (request.headers["content-type"] !== "application/json")
      return plain(415, "application/json is wanted");
    try {
      return json(await paths.set(page, parseConditions(await readBody(request))));
    } catch (error) {
      if (error instanceof RangeError) return plain(400, error.message);
      throw error;
    }
  }

  async function answer(request: IncomingMessage): Promise<Answer> {
    const { pathname, searchParams } = new URL(request.url ?? "/", "http://localhost");
    const page = /^\/api\/path\/([\w-]{8,64})$/.exec(pathname)?.[1];
    if (page !== undefined && request.method === "PUT") return setPath(request, page);
    if (request.method !== "GET" && request.method !== "HEAD") return plain(405, "GET is wanted");
    return routes[pathname]?.(searchParams) ?? readStatic(pathname);
  }

  function send(request: IncomingMessage, response: ServerResponse, made: Answer): void {
    response.writeHead(made.status ?? 200, {
      "content-type": made.type,
      "cache-control": made.isFixed ? "max-age=86400" : "no-store",
      "content-security-policy": policy,
      "x-content-type-options": "nosniff",
      "referrer-policy": "no-referrer",
    });
    response.end(request.method === "HEAD" ? undefined : made.body);
  }

  const server = createServer((request, response) => {
    answer(request)
      .catch((error: unknown) => {
        options.log?.error({ err: error, url: request.url }, "the demo page could not be answered");
        return plain(500, "internal error");
      })
      .then((made) => send(request, response, made));
  });
  server.on("upgrade", (request, socket, head) => {
    if (request.url !== "/session") socket.destroy();
    else proxyWebSocket(request, socket, head, { host: target.host, port: target.port, hashes });
  });
  const listening = once(server, "listening");
  server.listen(options.port, options.host);
  await listening;
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://${options.host}:${port}/`,
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await Promise.all([closed, paths.close()]);
    },
  };
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > maxBodyBytes) throw new RangeError(`body: at most ${maxBodyBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}
