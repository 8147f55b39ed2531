// The windows of each measure. In every round all that is compared runs right after one another, in an order that
// turns round with each round.
import { quantile } from "../accuracy/quantile.mjs";
import { isTouched, slowShare } from "../pace/slow-moments.mjs";
import { startPace } from "../pace/start-pace.mjs";
import { readCpu, spentSince, start, startServer } from "./processes.mjs";

const engineWarmUpSeconds = 1;
/** Of the throughput, where what is compared is warm, and only has to fill up. */
const fillSeconds = 0.3;
/** What goes before the first window and does not count: V8 compiles for that long, and it shows which batches the server makes. */
const firstRoundSeconds = 10;
/** Sessions that saturate the server, and the frames that each keeps under way: fewer than a session may have. */
const saturating = { sessions: 4, underWay: 28, deadlineMs: 2_000 };
/** Before the first window tells which batches the server makes. */
const firstBatchFrames = 8;

export const steady = { count: 8, framesPerSecond: 30, deadlineMs: 500 };
export const target = ({ url, certificateHash }) => ({ url, certificateHash });

export async function inTurn(round, tasks) {
  for (const task of round % 2 === 1 ? tasks : tasks.toReversed()) await task();
}

/** A server, what loads it, and the engine alone on the server's cores. */
async function startBoth(workload, { serverCpus, clientCpus }, script, settings) {
  const server = await startServer({ cpus: serverCpus });
  const load = await start(script, { ...target(server), ...settings, workload }, { cpus: clientCpus });
  const engine = await start("direct.mjs", { workload }, { cpus: serverCpus });
  return {
    ...{ server, load, engine },
    async end() {
      for (const each of [load, engine]) await each.end();
      await server.stop();
    },
  };
}

/** Frames per second of the server with as many clients as it takes, and of the engine alone with the same batches. */
export async function measureThroughput(workload, options, onWindow, signal) {
  const both = await startBoth(workload, options, "generator.mjs", saturating);
  const { throughputRounds: rounds, throughputSeconds } = options;
  let frames = firstBatchFrames;
  for (let round = 0; round <= rounds; round++) {
    const window = {
      seconds: round === 0 ? firstRoundSeconds : throughputSeconds,
      warmUpSeconds: fillSeconds,
    };
    const tell = (who, figures) => {
      if (round > 0) onWindow({ measure: "throughput", workload, round, who, ...figures });
    };
    await inTurn(round, [
      async () => {
        signal.throwIfAborted();
        const figures = await runServer(both, window);
        // The engine alone gets batches of the size that the server makes most of the time.
        frames = Math.max(1, Math.round(figures.batchFrames));
        tell("server", figures);
      },
      async () => {
        signal.throwIfAborted();
        tell("engine", await runEngine(both, { ...window, frames }));
      },
    ]);
  }
  await both.end();
}

async function runServer({ server, load: generator }, window) {
  const before = await server.readBatches();
  const cpuBefore = [readCpu(server.pid), readCpu(generator.child.pid)];
  const { framesPerSecond, failed } = await generator.run(window);
  const cpu = [server.pid, generator.child.pid].map((pid, i) => spentSince(cpuBefore[i], readCpu(pid)));
  const after = await server.readBatches();
  const perFrame = (ms) => (1_000 * ms) / (after.frames - before.frames);
  return {
    ...{ framesPerSecond, batchFrames: (after.frames - before.frames) / (after.batches - before.batches) },
    ...{ failed, serverCpuUs: perFrame(cpu[0].totalMs), busiestThreadUs: perFrame(cpu[0].busiestMs) },
    generatorCpuUs: perFrame(cpu[1].totalMs),
  };
}

async function runEngine({ engine }, window) {
  const before = readCpu(engine.child.pid);
  const { framesPerSecond, doneWithWarmUp } = await engine.run(window);
  const cpu = spentSince(before, readCpu(engine.child.pid));
  const perFrame = (ms) => (1_000 * ms) / doneWithWarmUp;
  return {
    ...{ framesPerSecond, batchFrames: window.frames, engineCpuUs: perFrame(cpu.totalMs) },
    busiestThreadUs: perFrame(cpu.busiestMs),
  };
}

/**
 * The latency of clients that offer steadily, how long the engine alone takes for a frame, and as a control the same
 * frames through bare UDP sockets to the engine.
 */
export async function measureLatency(workload, { rounds, seconds, ...cpus }, onWindow, signal) {
  const both = await startBoth(workload, cpus, "clients.mjs", steady);
  const bare = await startBare(workload, cpus);
  const pace = await startPace();
  const window = { seconds, framesPerSecond: steady.framesPerSecond };
  for (const clients of [both.load, bare.clients])
    await clients.run({ ...window, seconds: firstRoundSeconds });
  for (let round = 1; round <= rounds; round++) {
    const take = (who, clients) => async () => {
      signal.throwIfAborted();
      const figures = await runClients(clients, pace, window);
      onWindow({ measure: "latency", workload, round, who, ...figures });
    };
    await inTurn(round, [
      take("server", both.load),
      take("bare", bare.clients),
      async () => {
        signal.throwIfAborted();
        const { timesMs } = await both.engine.run({ seconds, warmUpSeconds: engineWarmUpSeconds, frames: 1 });
        const [p50Ms, p99Ms] = [quantile(timesMs, 0.5), quantile(timesMs, 0.99)];
        onWindow({ measure: "latency", workload, round, who: "engine", p50Ms, p99Ms });
      },
    ]);
  }
  await pace?.end();
  await bare.end();
  await both.end();
}

/** The engine behind a UDP socket, and as many sockets that send to it. */
async function startBare(workload, { serverCpus, clientCpus }) {
  const server = await start("bare-server.mjs", { workload }, { cpus: serverCpus });
  const { port } = server.ready;
  const clients = await start("bare-clients.mjs", { ...steady, port, workload }, { cpus: clientCpus });
  return {
    clients,
    async end() {
      await clients.end();
      await server.end();
    },
  };
}

/** One window of good clients, and what the machine did in it. @param pace undefined where that cannot be told */
export async function runClients(clients, pace, window) {
  const [result, moments] = await Promise.all([clients.run(window), pace?.watch(window.seconds)]);
  return figuresOf(result, moments && { moments, seconds: window.seconds });
}

function figuresOf({ offered, delivered, onTime, sentMs, latenciesMs, inferenceMs }, slow) {
  return {
    ...{ offered, delivered, onTime },
    ...{ p50Ms: quantile(latenciesMs, 0.5), p99Ms: quantile(latenciesMs, 0.99) },
    inferenceP50Ms: quantile(inferenceMs, 0.5),
    latenciesMs: latenciesMs.map((ms) => Math.round(ms * 100) / 100),
    ...(slow && slowFiguresOf({ sentMs, latenciesMs }, slow)),
  };
}

/** The frames that slow moments of the machine have nothing to do with, and how much of the time those are. */
function slowFiguresOf({ sentMs, latenciesMs }, { moments, seconds }) {
  const isClear = latenciesMs.map((ms, i) => !isTouched(moments, sentMs[i], sentMs[i] + ms));
  const clear = latenciesMs.filter((_, i) => isClear[i]);
  return {
    slowShare: slowShare(moments, seconds * 1_000),
    clearP99Ms: clear.length > 0 ? quantile(clear, 0.99) : undefined,
    touched: isClear.flatMap((is, i) => (is ? [] : [i])),
  };
}
