import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createCertificate } from "@sluice/http3";
import { startProcess } from "../micro/transport/start-process.mjs";
import { runtimeOf } from "./systems/index.mjs";

const scriptOf = (role) => fileURLToPath(new URL(`${role}-process.mjs`, import.meta.url));
/** For starting, connecting, the frames that are late, and ending, beyond the time that a workload takes. */
const EXTRA_MS = 25_000;
/** For each session beyond the first to open, on a machine that does other things as well. */
const SESSION_MS = 100;

/** Starts a process of a system; `prefix` is a command line before its own, as `ip netns exec NAME`. */
function startRole(role, system, prefix) {
  const [command, ...parameters] = [...prefix, ...runtimeOf(system), scriptOf(role), system.module];
  return startProcess(command, parameters);
}

function used(before, after) {
  return { ...after, cpuSeconds: after.cpuSeconds - before.cpuSeconds };
}

async function measure(
  { server, client },
  { system, host, task, workload, sessions = 1, isProfiled, around },
) {
  await Promise.all([server.ready, client.ready]);
  const profile = (action, folder) =>
    Promise.all(
      Object.entries({ server, client }).map(([side, process]) =>
        process.ask("profile", { action, folder: folder && join(folder, side) }),
      ),
    );
  if (isProfiled) await profile("prepare");
  const certificate = system.needsCertificate ? await createCertificate([host]) : undefined;
  const { options } = system;
  const { address, about } = await server.ask("serve", { host, options, task, certificate });
  const { connectMs } = await client.ask("connect", { address, options, task, sessions });
  /** Runs a workload; what both sides used meanwhile comes with its result. */
  const run = async (chosen = workload) => {
    const before = await Promise.all([client.ask("usage"), server.ask("usage")]);
    const result = await client.ask("measure", { workload: chosen });
    const after = await Promise.all([client.ask("usage"), server.ask("usage")]);
    return { ...result, client: used(before[0], after[0]), server: used(before[1], after[1]) };
  };
  const result = around === undefined ? await run() : await around(run, profile);
  await server.ask("collect");
  return { about, connectMs, ...result };
}

/**
 * One workload of one system between two fresh processes, which end with it.
 * @param cell.host where the server listens
 * @param cell.prefixes command lines before those of `server` and `client`; default: none
 * @param cell.sessions connections among which frames go round; default 1
 * @param cell.isProfiled makes both processes ready for `around`'s second argument, which starts and stops their profiles
 * @param cell.around called with what runs the workload, or one that it is given, to do something before, after and
 *   between; resolves to the result
 * @returns what `workload.mjs` measured, with `client` and `server`: CPU seconds of the whole workload, memory; `about`, and
 *   `connectMs`, how long all sessions took to open
 * @throws Error where a process failed or the cell took longer than its bound
 */
export async function runCell(cell) {
  const { system, workload, sessions = 1, prefixes = { server: [], client: [] } } = cell;
  const server = startRole("server", system, prefixes.server);
  const client = startRole("client", system, prefixes.client);
  const measureMs = (workload.seconds + workload.warmUpSeconds) * 1_000;
  const boundMs = measureMs + EXTRA_MS + (sessions - 1) * SESSION_MS;
  let timer;
  const late = new Promise((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`not done after ${boundMs} ms`)), boundMs);
  });
  const measured = measure({ server, client }, cell);
  // A failure after the bound has been told already.
  measured.catch(() => {});
  try {
    return await Promise.race([measured, late]);
  } finally {
    clearTimeout(timer);
    await Promise.all([server.stop(), client.stop()]);
  }
}
