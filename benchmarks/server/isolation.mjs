// What bad clients cost good ones: short windows beside each bad client and without one, in turn, so that what else the
// machine does falls on all of them alike.
import { setTimeout as sleep } from "node:timers/promises";
import { startPace } from "../pace/start-pace.mjs";
import { inTurn, runClients, steady, target } from "./measures.mjs";
import { makeIdle, readCpu, spentSince, start, startServer } from "./processes.mjs";

const warmUpSeconds = 5;
/** Beside each bad client: what nobody else makes a server do is compiled, and turns what was compiled before out. */
const badWarmUpSeconds = 1;
/** Beside a bad client. */
const goodClients = 7;
/** What the server lets each session send, twice what a good one does; and a flooding one sends so many times that. */
export const fpsLimit = 60;
export const floodFactor = 10;
/** What a window has left behind is not the next one's. */
const restMs = 400;

export const badBehaviours = ["stall", "flood", "die"];
/** The same bad client at a second server: what is left of the change there is not the good clients' server's. */
export const elsewhere = (behaviour) => `${behaviour}-elsewhere`;
const isElsewhere = (who) => badBehaviours.some((behaviour) => who === elsewhere(behaviour));

/** All windows of a round, in their order: each bad client's are next to those of its control. */
export const sides = ["alone", ...badBehaviours.flatMap((behaviour) => [behaviour, elsewhere(behaviour)])];

/** The latency of good clients alone, and beside a client that stalls, floods or dies, of their server and of another one. */
export async function measureIsolation(workload, options, onWindow, signal) {
  const { isolationRounds, seconds, serverCpus, clientCpus } = options;
  const args = ["--fps-limit", String(fpsLimit)];
  const server = await startServer({ cpus: serverCpus, args });
  const clients = await start(
    "clients.mjs",
    { ...target(server), ...steady, count: goodClients, workload },
    { cpus: clientCpus },
  );
  // It stands for another machine, as the bad client does: neither may take processors that good ones want.
  const other = await startServer({ cpus: clientCpus, args });
  makeIdle(other.pid);
  const pace = await startPace();
  const window = { seconds, framesPerSecond: steady.framesPerSecond };
  /** A window beside who it is; what the first ones compile counts for nobody. */
  async function take(who, of) {
    signal.throwIfAborted();
    const bad =
      who === "alone" ? undefined : await startBadClient(who, { server, other }, workload, clientCpus);
    const cpuBefore = readCpu(server.pid);
    const startMs = performance.now();
    const figures = await runClients(clients, pace, of);
    const { totalMs } = spentSince(cpuBefore, readCpu(server.pid));
    const serverCpuShare = totalMs / (performance.now() - startMs);
    const did = await bad?.end();
    await sleep(restMs);
    return { ...figures, serverCpuShare, ...did };
  }

  await take("alone", { ...window, seconds: warmUpSeconds });
  for (const who of sides.slice(1)) await take(who, { ...window, seconds: badWarmUpSeconds });
  for (let round = 1; round <= isolationRounds; round++) {
    await inTurn(
      round,
      sides.map(
        (who) => async () =>
          onWindow({ measure: "isolation", workload, round, who, ...(await take(who, window)) }),
      ),
    );
  }
  await pace?.end();
  await clients.end();
  await other.stop();
  await server.stop();
}

async function startBadClient(who, { server, other }, workload, cpus) {
  const behaviour = badBehaviours.find((each) => who.startsWith(each));
  const victim = isElsewhere(who) ? other : server;
  const options = { ...target(victim), workload, framesPerSecond: floodFactor * fpsLimit };
  // A bad client is somebody else's machine: what is measured is what it sends, not that it computes on these cores.
  const bad = await start("bad-client.mjs", options, { args: [behaviour], isIdle: true, cpus });
  const startMs = performance.now();
  let done;
  bad.child.on("message", (message) => {
    done = message.done;
  });
  const { stopAfterMs } = bad.ready;
  if (stopAfterMs !== undefined) setTimeout(() => bad.child.kill("SIGSTOP"), stopAfterMs);
  return {
    /** @returns how often it did what it does, where it says so: it has only what the others leave of the processors */
    async end() {
      const seconds = (performance.now() - startMs) / 1_000;
      await bad.end();
      return done === undefined ? {} : { badPerSecond: done / seconds };
    },
  };
}
