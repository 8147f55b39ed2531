import { once } from "node:events";
import { constants, createServer, connect as openSession } from "node:http2";
import { readBody } from "./read-body.mjs";

/** As for the tuned gRPC. Node's own are 64 KiB, a round trip for each. */
const WINDOW_BYTES = 16 << 20;
const settings = { initialWindowSize: WINDOW_BYTES };

export const about = "node:http2, one connection, a stream for each tensor, windows of 16 MiB, no TLS";

export async function serve({ host, onTensor }) {
  const sessions = new Set();
  const server = createServer({ settings });
  server.on("session", (session) => {
    sessions.add(session);
    session.setLocalWindowSize(WINDOW_BYTES);
    session.on("error", () => {}).on("close", () => sessions.delete(session));
  });
  server.on("stream", async (stream, headers) => {
    stream.on("error", () => {});
    try {
      const bytes = await readBody(stream, Number(headers["content-length"]));
      const answer = await onTensor(Number(headers[":path"].slice(1)), bytes);
      if (stream.destroyed) return;
      stream.respond({ ":status": 200 });
      stream.end(answer);
    } catch {
      stream.close(constants.NGHTTP2_CANCEL);
    }
  });
  server.listen(0, host);
  await once(server, "listening");
  return {
    address: { host, port: server.address().port },
    close() {
      for (const session of sessions) session.destroy();
      server.close();
    },
  };
}

export async function connect({ host, port }) {
  const session = openSession(`http://${host}:${port}`, { settings });
  await once(session, "connect");
  session.on("error", () => {});
  session.setLocalWindowSize(WINDOW_BYTES);
  return {
    send: (frame, bytes) =>
      new Promise((resolve, reject) => {
        const stream = session.request(
          { ":method": "POST", ":path": `/${frame}`, "content-length": bytes.byteLength },
          { endStream: false },
        );
        const parts = [];
        stream.on("data", (part) => parts.push(part));
        stream.on("end", () => {
          const answer = parts.length === 1 ? parts[0] : Buffer.concat(parts);
          if (answer.byteLength > 0) resolve({ answer });
        });
        stream.on("error", reject);
        stream.on("close", () => reject(new Error("the stream was closed without an answer")));
        stream.end(bytes);
      }),
    close: () => session.destroy(),
  };
}
