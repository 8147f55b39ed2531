import type { TransportServer } from "@sluice/transport";
import type { Engine, EngineListenOptions } from "./engine.js";

/** A free UDP port may be taken on TCP; so often another one is tried. */
const PORT_ATTEMPTS = 10;

/** One server on two engines, the first on UDP and the second on TCP, at the same port number. */
export async function listenBoth(
  udp: Engine,
  tcp: Engine,
  options: EngineListenOptions,
): Promise<TransportServer> {
  for (let attempt = 1; ; attempt++) {
    const first = await udp.listen(options);
    try {
      const second = await tcp.listen({ ...options, port: Number(new URL(first.url).port) });
      return join(first, second);
    } catch (error) {
      await first.close();
      if (options.port !== 0 || attempt === PORT_ATTEMPTS) throw error;
    }
  }
}

function join(first: TransportServer, second: TransportServer): TransportServer {
  return {
    // With port 0 the first one knows which it is.
    get url() {
      return first.url;
    },
    get certificateHash() {
      return first.certificateHash;
    },
    onSession(handler) {
      first.onSession(handler);
      second.onSession(handler);
    },
    async close(code, reason) {
      await Promise.all([first.close(code, reason), second.close(code, reason)]);
    },
  };
}
