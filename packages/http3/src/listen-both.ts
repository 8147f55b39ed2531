import type { Engine, EngineListenOptions, EngineServer } from "./engine.js";

/** A free UDP port may be taken on TCP; so often another one is tried. */
const PORT_ATTEMPTS = 10;

/** Starts two engines, the first on UDP and the second on TCP, at the same port number. */
export async function listenBoth(
  udp: Engine,
  tcp: Engine,
  options: EngineListenOptions,
): Promise<[udp: EngineServer, tcp: EngineServer]> {
  for (let attempt = 1; ; attempt++) {
    const first = await udp.listen(options);
    try {
      const second = await tcp.listen({ ...options, port: Number(new URL(first.url).port) });
      return [first, second];
    } catch (error) {
      await first.close();
      if (options.port !== 0 || attempt === PORT_ATTEMPTS) throw error;
    }
  }
}
