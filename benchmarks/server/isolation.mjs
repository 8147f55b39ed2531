// What bad clients cost good ones: short windows beside each bad client and without one, in turn, so that what else the
// machine does falls on all of them alike.
import { setTimeout as sleep } from "node:timers/promises";
import { startPace } from "../pace/start-pace.mjs";
import { inTurn, runClients, steady, target } from "./measures.mjs";
import { makeIdle, start, startServer } from "./processes.mjs";

const warmUpSeconds = 5;
/** Beside a bad client. */
const goodClients = 7;
/** What the server lets each session send, twice what a good one does; and a flooding one sends so many times that. */
export const fpsLimit = 60;
export const floodFactor = 10;
/** Of the rate, for those who keep to it: exactly at it jitter would put some frames beyond. */
const allowedShare = 0.95;

export const badBehaviours = ["stall", "flood", "die"];
/**
 * What tells the server's part of the flood's cost from that of the machine, and of what anybody may send: the same flood of
 * another server, which stands for another machine as well, and as many sessions that keep to the rate and acknowledge nothing.
 */
export const controls = ["elsewhere", "allowed"];

/** The latency of good clients alone, beside a client that stalls, floods or dies again and again, and beside the controls. */
export async function measureIsolation(workload, options, onWindow, signal) {
  const { isolationRounds, seconds, serverCpus, clientCpus } = options;
  const server = await startServer({ cpus: serverCpus, args: ["--fps-limit", String(fpsLimit)] });
  const clients = await start(
    "clients.mjs",
    { ...target(server), ...steady, count: goodClients, workload },
    { cpus: clientCpus },
  );
  const elsewhere = await startServer({ cpus: clientCpus, args: ["--fps-limit", String(fpsLimit)] });
  makeIdle(elsewhere.pid);
  const pace = await startPace();
  const window = { seconds, framesPerSecond: steady.framesPerSecond };
  // What is compiled in the first seconds must not count for whoever is first.
  await clients.run({ ...window, seconds: warmUpSeconds });
  for (let round = 1; round <= isolationRounds; round++) {
    await inTurn(
      round,
      ["alone", ...badBehaviours, ...controls].map((who) => async () => {
        signal.throwIfAborted();
        const victim = who === "elsewhere" ? elsewhere : server;
        const bad = who === "alone" ? undefined : await startBadClient(who, victim, workload, clientCpus);
        const figures = await runClients(clients, pace, window);
        const did = await bad?.end();
        // What it has left behind is not the next one's.
        await sleep(1_000);
        onWindow({ measure: "isolation", workload, round, who, ...figures, ...did });
      }),
    );
  }
  await pace?.end();
  await clients.end();
  await elsewhere.stop();
  await server.stop();
}

async function startBadClient(who, server, workload, cpus) {
  const behaviour = controls.includes(who) ? "flood" : who;
  const framesPerSecond = (who === "allowed" ? allowedShare : floodFactor) * fpsLimit;
  const options = { ...target(server), workload, framesPerSecond };
  // A bad client is somebody else's machine: what is measured is what it sends, not that it computes on these cores.
  const bad = await start("bad-client.mjs", options, { args: [behaviour], isIdle: true, cpus });
  const startMs = performance.now();
  let sent;
  bad.child.on("message", (message) => {
    sent = message.sent;
  });
  const { stopAfterMs } = bad.ready;
  if (stopAfterMs !== undefined) setTimeout(() => bad.child.kill("SIGSTOP"), stopAfterMs);
  return {
    /** @returns what it has sent, where it says so: it has only what the others leave of the processors */
    async end() {
      const seconds = (performance.now() - startMs) / 1_000;
      await bad.end();
      return sent === undefined ? {} : { badFramesPerSecond: Math.round(sent / seconds) };
    },
  };
}
