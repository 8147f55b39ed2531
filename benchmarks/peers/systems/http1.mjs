import { once } from "node:events";
import { createServer } from "node:http";
import { Pool } from "undici";
import { readBody } from "./read-body.mjs";

/** Requests at once: each takes a connection of its own, as HTTP/1.1 answers one after another. */
const CONNECTIONS = 8;

export const about = "undici's Pool of 8 kept-alive connections to node:http, a POST for each tensor, no TLS";

export async function serve({ host, onTensor }) {
  const server = createServer(async (request, response) => {
    try {
      const bytes = await readBody(request, Number(request.headers["content-length"]));
      const answer = await onTensor(Number(request.url.slice(1)), bytes);
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
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

export async function connect({ host, port }) {
  const pool = new Pool(`http://${host}:${port}`, { connections: CONNECTIONS, pipelining: 1 });
  return {
    async send(frame, bytes) {
      const { body } = await pool.request({ method: "POST", path: `/${frame}`, body: bytes });
      return { answer: new Uint8Array(await body.arrayBuffer()) };
    },
    close: () => pool.destroy(),
  };
}
