// Runs the steps of a plan against the world, and asks at the end whether everything adds up.
import { setTimeout as sleep } from "node:timers/promises";
import { createRandom } from "../../packages/simnet/dist/index.js";
import {
  checkClientFrames,
  checkCompanion,
  checkFullDisk,
  checkHeld,
  checkLeftovers,
  checkReached,
  checkServed,
  checkServerFrames,
  judgeMemory,
  sumRecovery,
} from "./accounts.mjs";
import { planSteps, shortMinutes } from "./plan.mjs";
import { openWorld } from "./world.mjs";

/** Looks of a campaign, evenly, as far as its steps allow. */
const looksWanted = 60;
const leastLookSeconds = 15;
/** What ends with the old sessions has ended then. */
const settleMs = 500;

/**
 * @param options as options.mjs reads them
 * @param onStep told of each step when it is over, with how much of the time is gone
 * @param {AbortSignal} signal ends it behind the present step, with its report
 */
export async function runCampaign(options, onStep = () => {}, signal = undefined) {
  const { minutes, seed } = options;
  const startMs = performance.now();
  const lengthMs = 60_000 * minutes;
  const seconds = () => (performance.now() - startMs) / 1_000;
  const timeline = [];
  const looks = { server: [], client: [] };
  const companionLooks = {};
  const world = await openWorld(options);
  const { failures } = world;
  const missing = { ...world.companions.missing };
  const kinds = options.kinds.filter((kind) => {
    const reason = kind.missing?.(world);
    if (reason !== undefined) missing[kind.name] = reason;
    return reason === undefined;
  });
  const lookSeconds = Math.max(leastLookSeconds, (60 * minutes) / looksWanted);
  let lookedAt = Number.NEGATIVE_INFINITY;

  /** How long until every client has results again, in milliseconds, by its streams; `null`: not in time. */
  async function recover() {
    const limitMs = 1_000 * options.recoverSeconds;
    const [own, others] = await Promise.all([
      world.client.call("recover", { limitMs }),
      world.companions.recover(limitMs),
    ]);
    return { ...own, ...others };
  }

  async function takeLooks() {
    lookedAt = seconds();
    await world.client.call("renew");
    await world.client.call("recover", { limitMs: 1_000 * options.recoverSeconds });
    await sleep(settleMs);
    const [server, client] = await Promise.all([world.server.call("look"), world.client.call("look")]);
    const when = { minutes: lookedAt / 60 };
    looks.server.push({ life: world.lives.length - 1, ...when, ...server });
    looks.client.push({ life: 0, ...when, ...client });
    for (const [name, found] of Object.entries(await world.companions.look())) {
      companionLooks[name] ??= [];
      companionLooks[name].push({ life: 0, ...when, ...found });
    }
  }

  async function runStep({ faults, calmSeconds }) {
    const atSeconds = seconds();
    await Promise.all(faults.map(({ fault, drawn }) => fault.run(world, drawn)));
    const endSeconds = seconds();
    const byStream = await recover();
    const before = await countInTime();
    await sleep(1_000 * calmSeconds);
    const after = await countInTime();
    const times = Object.values(byStream);
    const recoveryMs = times.includes(null) ? null : Math.max(...times);
    const entry = {
      atSeconds: round(atSeconds),
      faults: faults.map(({ fault, drawn }) => ({ name: fault.name, text: drawn.text })),
      ...{ seconds: round(endSeconds - atSeconds), recoveryMs, byStream },
      calm: { offered: after.offered - before.offered, onTime: after.onTime - before.onTime },
    };
    timeline.push(entry);
    if (recoveryMs === null)
      failures.push(`no results in time within ${options.recoverSeconds} s after ${describeStep(entry)}`);
    return entry;
  }

  /** Of all streams; what is under way at the time is in the one and not in the other. */
  async function countInTime() {
    const { streams } = await world.client.call("counts");
    const all = (name) => streams.reduce((sum, stream) => sum + stream[name], 0);
    return { offered: all("offered"), onTime: all("onTime") };
  }

  try {
    if (Object.values(await recover()).includes(null))
      throw new Error("nothing comes through before the first fault");
    await takeLooks();
    for (const step of planSteps({ random: createRandom(seed), minutes, kinds })) {
      if (performance.now() - startMs >= lengthMs || failures.length > 0 || signal?.aborted) break;
      const entry = await runStep(step);
      if (seconds() - lookedAt >= lookSeconds) await takeLooks();
      onStep(entry, { round: step.round, doneShare: Math.min(1, (performance.now() - startMs) / lengthMs) });
    }
    await takeLooks();
    return await finish();
  } catch (error) {
    failures.push(error.stack);
    return report({});
  } finally {
    await world.close();
  }

  async function finish() {
    const frames = await world.client.call("finish");
    failures.push(...checkClientFrames(frames));
    const companions = await world.companions.finish();
    for (const companion of companions) failures.push(...checkCompanion(companion));
    // Sessions of clients that were killed end when nothing was heard of them.
    await world.until("the server has no sessions", async () => {
      const { sessions, connections } = await world.readMetrics();
      return sessions === 0 && connections === 0;
    });
    const [server, client] = [await world.server.call("look"), await world.client.call("look")];
    const metrics = await world.readMetrics();
    failures.push(...checkServerFrames(metrics));
    if (world.lives.length === 1) failures.push(...checkServed(frames.clients, companions, metrics));
    const ofLastLife = looks.server.filter(({ life }) => life === world.lives.length - 1);
    failures.push(...checkLeftovers("server", ofLastLife[0] ?? server, server));
    failures.push(...checkLeftovers("client", looks.client[0], client));
    await endClient();
    await world.endServer("SIGTERM");
    return report({ frames, companions, left: { server, client } });
  }

  /** It ends by itself where nothing holds it. */
  async function endClient() {
    world.client.child.disconnect();
    const late = sleep(
      1_000 * options.recoverSeconds,
      { code: "it is still held by something" },
      { ref: false },
    );
    const { code, signal } = await Promise.race([world.client.ended, late]);
    if (code !== 0) failures.push(`the client process ended with ${signal ?? code}`);
  }

  function report({ frames, companions = [], left }) {
    const memory = {};
    for (const [name, seen] of Object.entries(companionLooks))
      failures.push(...checkHeld(name, seen[0], seen.at(-1)));
    for (const [side, seen] of Object.entries({ ...looks, ...companionLooks })) {
      if (seen.length === 0) continue;
      const { failures: wrong, ...judged } = judgeMemory(side, seen, { minutes });
      memory[side] = { ...judged, lagMs: worstLag(seen), looks: seen.map(asMemory) };
      failures.push(...wrong);
    }
    for (const { server, number } of world.lives)
      for (const line of server.log.unexpected) failures.push(`server ${number} logged: ${line}`);
    for (const { server, number, lastMetrics } of world.lives) {
      const life = { metrics: lastMetrics, notExported: server.log.notExported };
      failures.push(...checkFullDisk(`server ${number}`, life, world.full));
    }
    const { notReached, failures: tooFew } = checkReached(kinds, timeline, {
      ...{ seconds: 60 * minutes, isShort: minutes < shortMinutes },
    });
    // Who ends it early, or where it failed, has not given it the time.
    if (!signal?.aborted && failures.length === 0) failures.push(...tooFew);
    return {
      ...{ minutes, seed, engine: world.engine, seconds: round(seconds()), disk: describeDisk(world.disk) },
      ...{
        frames,
        companions,
        memory,
        left,
        timeline,
        recovery: sumRecovery(timeline),
        path: world.network.stats(),
      },
      servers: world.lives.map(({ ended, endedInMs, lastMetrics, server }) => ({
        ...{ ended, endedInMs, metrics: lastMetrics, errors: server.log.errors },
      })),
      ...{ missing: { ...missing, ...describeRoom(world.full) }, notReached, failures },
    };
  }
}

export function describeStep({ faults }) {
  return faults.map(({ name, text }) => `${name} (${text})`).join(" with ");
}

function describeDisk({ isReal }) {
  return isReal ? "a file system that is filled" : "an injected error, as no file system could be mounted";
}

/** What could not be tried of a disk without room. */
function describeRoom({ trace, qlog }) {
  return {
    ...(trace === undefined ? { "full disk, traces": "there is no file that takes no byte" } : {}),
    ...(qlog === undefined ? { "full disk, qlog": "no file system could be mounted" } : {}),
  };
}

/** A look as it stands in the report. */
function asMemory({ life, minutes, rssBytes, heapBytes, parts, files, threads }) {
  return { life, minutes: Math.round(minutes * 100) / 100, rssBytes, heapBytes, parts, files, threads };
}

/** Of what is seen from inside. */
function worstLag(looks) {
  if (looks[0].loop === undefined) return undefined;
  const p99s = looks.map(({ loop }) => loop.p99Ms).sort((a, b) => a - b);
  return { medianP99: p99s[p99s.length >> 1], max: Math.max(...looks.map(({ loop }) => loop.maxMs)) };
}

function round(value) {
  return Math.round(value * 10) / 10;
}
