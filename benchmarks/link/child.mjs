// A process of its own for the server or the relay, so that each has an event loop to itself. Started by fork with
// its role as argument; says `{ ready }`, and ends with its parent.
import process from "node:process";
import { listen } from "../../packages/http3/dist/index.js";
import { createServer, createSinkModel } from "../../packages/server/dist/index.js";
import { createRelay } from "../../packages/simnet/dist/index.js";

const roles = {
  async server() {
    const transport = await listen({ port: 0, engine: "quiche" });
    createServer({ transport, openServedStream: async () => createSinkModel() });
    return { url: transport.url, certificateHash: transport.certificateHash };
  },
  async relay({ target, parameters, up = parameters, seed }) {
    const listenAt = { host: "127.0.0.1", port: 0 };
    const relay = await createRelay({ listen: listenAt, target, up, down: parameters, seed });
    return { port: relay.address.port };
  },
};

process.once("message", async (options) => {
  process.send({ ready: await roles[process.argv[2]](options) });
});
process.once("disconnect", () => process.exit(0));
