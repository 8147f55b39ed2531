import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { extname } from "node:path";

/** What a path of a page server answers with. */
export type PageFile = string | Uint8Array;

export interface PageServer {
  /** As browsers name it: `http://localhost:port`, which is a secure context. */
  readonly origin: string;
  close(): Promise<void>;
}

const types: Readonly<Record<string, string>> = {
  ".js": "text/javascript",
  ".mjs": "text/javascript",
  ".css": "text/css",
  ".json": "application/json",
  ".wasm": "application/wasm",
};

/**
 * Serves pages over HTTP at a free port of localhost.
 * @param read gives the file at a path (without its query), or a rejection or `undefined` for 404
 */
export async function servePages(
  read: (path: string) => PageFile | undefined | Promise<PageFile | undefined>,
): Promise<PageServer> {
  const server = createServer(async (request, response) => {
    const path = (request.url ?? "/").split("?", 1)[0]!;
    try {
      const file = await read(path);
      if (file !== undefined) {
        response.setHeader("content-type", types[extname(path)] ?? "text/html; charset=utf-8");
        response.end(file);
        return;
      }
    } catch {
      // As if there were none.
    }
    response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "localhost", resolve));
  return {
    origin: `http://localhost:${(server.address() as AddressInfo).port}`,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
