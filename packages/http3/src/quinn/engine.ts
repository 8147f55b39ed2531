import type { Engine } from "../engine.js";
import { judgeListenOptions } from "./fixed-options.js";
import { connectQuinn } from "./quinn-client.js";
import { loadQuinnModule, type QuinnModule } from "./quinn-module.js";
import { QuinnServer } from "./quinn-server.js";

/**
 * The engine on quinn, by the native code of `@moq/web-transport`, an optional package. Rejects with a `ConnectError`
 * of kind `engine` where it cannot be loaded.
 */
export async function createQuinnEngine(load: () => QuinnModule = loadQuinnModule): Promise<Engine> {
  const module = load();
  return {
    name: "quinn",
    judgeListenOptions,
    connect: (options) => connectQuinn(module, options),
    listen: (options) => QuinnServer.listen(module, options),
  };
}
