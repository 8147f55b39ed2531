import { debuglog } from "node:util";

/** Says on stderr what the library's errors do not, with `NODE_DEBUG=fails-quiche`. */
export const debug = debuglog("fails-quiche");
