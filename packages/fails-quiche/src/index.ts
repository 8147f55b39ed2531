import { selectEngine } from "@sluice/http3";

// As with the package that this one stands for: where its native code cannot be loaded, it cannot be imported.
await selectEngine("quiche");

/** The library's first call; whoever could import this module has a loaded engine. */
export function checkQuicheInit(): void {}

export { Http3WebTransportClient, Http3WebTransportClientSocket } from "./http3-client.js";
export { Http3WebTransportServer } from "./http3-server.js";
export { Http3WebTransportServerSocket } from "./http3-server-socket.js";
