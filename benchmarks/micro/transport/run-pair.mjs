import { fileURLToPath } from "node:url";
import { startProcess } from "./start-process.mjs";

const SCRIPT = fileURLToPath(new URL("peer-process.mjs", import.meta.url));
/** For starting, connecting and ending, beyond the time that a measure takes. */
const EXTRA_MS = 10_000;

const startPeer = ({ command, runtimeArguments, carrier }) =>
  startProcess(command, [...runtimeArguments, SCRIPT, carrier]);

async function runMeasure(server, client, half, parameters) {
  await Promise.all([server.ready, client.ready]);
  const { address } = await server.ask("listen", { half, parameters });
  const { unsupported } = await client.ask("connect", { half, address, parameters });
  if (unsupported !== undefined) return { unsupported };
  // The windows of both sides begin within the time that a line takes through a pipe.
  const [, driven] = await Promise.all([server.ask("begin"), client.ask("drive")]);
  const served = await server.ask("collect");
  return { client: driven.result, server: served.result };
}

/**
 * Runs one measure between two fresh processes, or within one for a peer that needs both ends in it, and ends them.
 * Resolves with what each side measured, with `unsupported`, or with `error`; never takes longer than its bound.
 */
export async function runPair(peer, half, parameters) {
  const server = startPeer(peer);
  const client = peer.isOneProcess ? server : startPeer(peer);
  let timer;
  const boundMs = parameters.warmUpMs + parameters.seconds * 1000 + EXTRA_MS;
  const late = new Promise((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`not done after ${boundMs} ms`)), boundMs);
  });
  const measured = runMeasure(server, client, half, parameters);
  // A failure after the bound has been told already.
  measured.catch(() => {});
  try {
    return await Promise.race([measured, late]);
  } catch (error) {
    return { error: error.message };
  } finally {
    clearTimeout(timer);
    await Promise.all([...new Set([server, client])].map((side) => side.stop()));
  }
}
