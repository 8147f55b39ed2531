import { once } from "node:events";
import { createServer } from "node:http";
import { Pool } from "undici";
import { readBody } from "./read-body.mjs";

/** Requests at once; each takes a connection of its own, as HTTP/1.1 answers one after another. */
const DEFAULT_CONNECTIONS = 8;

export const system = {
  name: "http1",
  title: "HTTP/1.1",
  transport: "tcp",
  about: `undici's Pool of ${DEFAULT_CONNECTIONS} kept-alive connections to node:http, a POST for each tensor, unencrypted`,
};

/** @param {{ host: string, onTensor: Function }} options see `../README.md` */
export async function serve({ host, onTensor }) {
  const server = createServer(async (request, response) => {
    try {
      const bytes = await readBody(request, Number(request.headers["content-length"]));
      const answer = await onTensor(Number(request.url.slice(1)), bytes, { receivedShare: 1 });
      response.writeHead(200, { "content-length": answer.byteLength }).end(answer);
    } catch {
      // The client has given the frame up, or is gone.
      response.destroy();
    }
  });
  server.listen(0, host);
  await once(server, "listening");
  return {
    address: { host, port: server.address().port },
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

export async function connect({ host, port }, { options = {} } = {}) {
  const pool = new Pool(`http://${host}:${port}`, {
    connections: options.connections ?? DEFAULT_CONNECTIONS,
    pipelining: 1,
  });
  return {
    async send(frame, bytes, { signal } = {}) {
      const { body } = await pool.request({ method: "POST", path: `/${frame}`, body: bytes, signal });
      return { answer: new Uint8Array(await body.arrayBuffer()) };
    },
    close: () => pool.destroy(),
  };
}
