import type { Engine } from "../engine.js";
import { connectFails } from "./fails-client.js";
import { type LoadPackage, loadFailsModule } from "./fails-module.js";
import { FailsTransportServer } from "./fails-server.js";

/**
 * The engine on `@fails-components/webtransport` and its HTTP/3 part, two optional packages. Rejects with a
 * `ConnectError` of kind `engine` where one of them cannot be loaded.
 */
export async function createFailsEngine(load: LoadPackage = (name) => import(name)): Promise<Engine> {
  const module = await loadFailsModule(load);
  return {
    name: "fails",
    connect: (options) => connectFails(module, options),
    listen: (options) => FailsTransportServer.listen(module, options),
  };
}
