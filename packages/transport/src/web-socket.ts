/** Sessions over a WebSocket, apart from the rest: what never falls back does not have to load them. */
export { MUX_PROTOCOL } from "./mux-frame.js";
export { connectWebSocket, type W3cWebSocket, type WebSocketSessionOptions } from "./web-socket-session.js";
