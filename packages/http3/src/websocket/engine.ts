import type { Engine } from "../engine.js";

/** The engine over WebSockets on TCP: streams without datagrams, for networks that block UDP. */
export async function createWebSocketEngine(): Promise<Engine> {
  const [{ connectWs }, { WsServer }] = await Promise.all([
    import("./ws-client.js"),
    import("./ws-server.js"),
  ]);
  return { name: "websocket", connect: connectWs, listen: (options) => WsServer.listen(options) };
}
