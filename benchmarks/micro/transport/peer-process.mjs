// One side of a run, or both for a pair in memory: started by run-pair.mjs with the name of its carrier.
// Reads commands as JSON lines and answers each with a line; a failure is a line with `error`.
import process from "node:process";
import { answerCommands } from "./answer-commands.mjs";
import { pause } from "./usage.mjs";

/** A path is measured within this. */
const GROWTH_MS = 200;

const [carrierName] = process.argv.slice(2);
const carrier = await import(`./carriers/${carrierName}.mjs`);

let server;
let client;

async function listen({ half, parameters }) {
  const { serve } = await import(`./halves/${half}.mjs`);
  let start;
  const begin = new Promise((resolve) => {
    start = resolve;
  });
  let accept;
  const accepted = new Promise((resolve) => {
    accept = resolve;
  });
  const address = await carrier.listen(parameters, accept);
  const result = accepted.then((session) => serve(session, parameters, begin));
  // Its failure is told by `collect`.
  result.catch(() => {});
  server = { start, result };
  return { address };
}

async function connect({ half, address, parameters }) {
  const { drive } = await import(`./halves/${half}.mjs`);
  const session = await carrier.connect(address, parameters);
  const { datagramBytes = 0 } = parameters;
  // Packets grow with what the path is known to carry.
  for (let waited = 0; session.maxDatagramBytes < datagramBytes && waited < GROWTH_MS; waited++)
    await pause(1);
  if (session.maxDatagramBytes < datagramBytes) {
    return { unsupported: `takes datagrams of at most ${session.maxDatagramBytes} B` };
  }
  client = () => drive(session, parameters);
  return {};
}

const commands = {
  listen,
  connect,
  begin: async () => {
    server.start();
    return {};
  },
  drive: async () => ({ result: await client() }),
  collect: async () => ({ result: await server.result }),
};

answerCommands(commands);
