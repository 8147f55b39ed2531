// What must hold at the end of a campaign, from what was counted: each sentence that comes back is a failure.
import { floors, theilSen } from "./slope.mjs";

/** Growth that an hour would not survive for long, in bytes a minute, and what a process may hold at all. */
const maxHeapPerMinute = 96 * 1024;
const maxRssPerMinute = 512 * 1024;
const maxRssBytes = 1024 ** 3;
/** Windows below which a slope says nothing. */
const leastWindows = 6;
/**
 * How a slope is judged, in minutes: campaigns below `leastMinutes` are too short for it, and the first ones of a life, in
 * which compilers and allocators settle, do not count. What the system has given moves in steps of some ten MB that stay
 * for minutes, as threads come and go (RSS): of so long the lowest counts.
 */
const kinds = {
  heap: { leastMinutes: 10, warmUpMinutes: 4, windowMinutes: 0 },
  rss: { leastMinutes: 30, warmUpMinutes: 10, windowMinutes: 3 },
};
const leastLooksPerWindow = 2;
/** Files and timers at the end beside those at the start: a probe's connection, a timer that just waits. */
const spare = 10;

const sum = (counts) => Object.values(counts).reduce((all, one) => all + one, 0);

/** Every frame that was offered ended once, and the client's own figures say the same. */
export function checkClientFrames({ streams, clients }) {
  const failures = [];
  for (const { name, offered, outcomes, pending, thrown, corrupt } of streams) {
    if (offered !== sum(outcomes))
      failures.push(
        `${name}: ${offered} frames offered, ${sum(outcomes)} ended, ${pending} never did, ${thrown} threw`,
      );
    if (corrupt > 0) failures.push(`${name}: ${corrupt} frames arrived whole but changed`);
  }
  const offered = streams.reduce((all, stream) => all + stream.offered, 0);
  const figures = (name) => clients.reduce((all, client) => all + client[name], 0);
  if (figures("offered") !== offered)
    failures.push(`the clients' figures count ${figures("offered")} frames, ${offered} were offered`);
  const ended = figures("dropped") + figures("expired") + figures("delivered");
  if (ended !== offered || figures("inFlight") !== 0)
    failures.push(`the clients' figures: ${ended} of ${offered} ended, ${figures("inFlight")} in flight`);
  return failures;
}

/**
 * Every frame of a companion ended once, and each that was not delivered has a reason.
 * @param companion as `finish` of companions.mjs gives it
 */
export function checkCompanion({ name, frames, failures: told }) {
  const failures = told.map((failure) => `${name}: ${failure}`);
  if (frames === undefined) return [...failures, `${name}: it ended without a report of its frames`];
  const { offered, admitted, dropped, delivered, expired, thrown = 0, corrupt, inFlight = 0 } = frames;
  if (offered !== dropped + admitted || admitted !== delivered + expired || thrown + inFlight > 0)
    failures.push(`${name}: its frames do not add up: ${JSON.stringify(frames)}`);
  for (const [what, count, reasons] of [
    ["dropped", dropped, frames.dropReasons],
    ["expired", expired, frames.expiryReasons],
  ])
    if (sum(reasons) !== count)
      failures.push(`${name}: ${count} ${what}, of which ${sum(reasons)} have a reason`);
  if (corrupt > 0) failures.push(`${name}: ${corrupt} frames arrived whole but changed`);
  return failures;
}

/**
 * That clients had no results but the server's: of what it delivered some are lost on their way, none is made up. Told of one
 * server from the first to the last, for what a killed one counted at its end nobody knows.
 * @param clients as client-process.mjs counts them
 * @param companions as `finish` of companions.mjs gives them
 * @param metrics of the server, whose sessions have all ended
 */
export function checkServed(clients, companions, { begun, outcomes }) {
  const remote = companions.filter(({ isLocal, frames }) => !isLocal && frames !== undefined);
  const all = [...clients, ...remote.map(({ frames }) => frames)];
  const delivered = all.reduce((total, client) => total + client.delivered, 0);
  const served = outcomes.delivered ?? 0;
  return delivered > served
    ? [`clients count ${delivered} results, the server ${served} of ${begun} frames`]
    : [];
}

/** @param metrics of a server whose sessions have all ended */
export function checkServerFrames({ begun, outcomes, invalid }) {
  const failures = [];
  if (begun !== sum(outcomes)) failures.push(`server: ${begun} frames begun, ${sum(outcomes)} ended`);
  if (invalid !== 0) failures.push(`server: ${invalid} observations were negative or not finite`);
  return failures;
}

/** A server that has begun so many frames has had something to export. */
const leastBegun = 30;

/**
 * That a server on a full disk has counted what it could not export, and said so once.
 * @param life `{ metrics, notExported }`: its last metrics, and how often it said so, by what
 * @param full where traces and qlog had no room, as disk.mjs opens it
 */
export function checkFullDisk(name, { metrics, notExported }, full) {
  if (!(metrics?.begun >= leastBegun)) return [];
  const failures = [];
  for (const [what, where, counts] of [
    ["traces", full.trace, metrics.traces],
    ["qlog", full.qlog, metrics.qlog],
  ]) {
    if (where === undefined) continue;
    const said = notExported[what] ?? 0;
    if (said !== 1) failures.push(`${name}: said ${said} times that the disk takes no ${what}`);
    if (!(counts.failed > 0) || counts.exported > 0)
      failures.push(`${name}: on a full disk it counts ${what} as ${JSON.stringify(counts)}`);
  }
  return failures;
}

/** How long a campaign takes for each kind, at most, until all have come; short ones have short faults. */
const secondsPerKind = { whole: 30, short: 10 };

/** Kinds of faults that never came, and whether a campaign of so many seconds was to have them. */
export function checkReached(kinds, timeline, { seconds, isShort }) {
  const reached = new Set(timeline.flatMap(({ faults }) => faults.map(({ name }) => name)));
  const notReached = kinds.map(({ name }) => name).filter((name) => !reached.has(name));
  const wanted = kinds.length * (isShort ? secondsPerKind.short : secondsPerKind.whole);
  const isFailure = notReached.length > 0 && seconds >= wanted;
  return {
    notReached,
    failures: isFailure
      ? [`not reached in a campaign of ${Math.round(seconds)} s: ${notReached.join(", ")}`]
      : [],
  };
}

/** What is still held when all is closed. @param first and last looks at one life of a process */
export function checkLeftovers(name, first, last) {
  const failures = [];
  for (const [what, count] of Object.entries(last.quic))
    if (count > 0) failures.push(`${name}: ${count} ${what} are left`);
  const held = {
    threads: [first.threads, last.threads],
    files: [first.files, last.files],
    resources: [sum(first.resources), sum(last.resources)],
  };
  for (const [what, [before, after]] of Object.entries(held))
    if (after > before + spare) failures.push(`${name}: ${after} ${what}, ${before} at the start`);
  return failures;
}

/** Files and threads of a process while it works. @param first and last looks at it */
export function checkHeld(name, first, last) {
  return ["files", "threads"]
    .filter((what) => last[what] > first[what] + spare)
    .map((what) => `${name}: ${last[what]} ${what}, ${first[what]} at the start`);
}

/**
 * Slopes of a process's memory, and what is wrong with them.
 * @param looks `{ life, minutes, rssBytes, heapBytes }` in order; of a page only its heap is known
 */
export function judgeMemory(name, looks, { minutes }) {
  const spanMinutes = looks.at(-1).minutes - looks[0].minutes;
  const looksPerMinute = spanMinutes > 0 ? (looks.length - 1) / spanMinutes : 0;
  const slopes = {};
  const failures = [];
  for (const [kind, key, most] of [
    ["heap", "heapBytes", maxHeapPerMinute],
    ["rss", "rssBytes", maxRssPerMinute],
  ]) {
    const { leastMinutes, warmUpMinutes, windowMinutes } = kinds[kind];
    const how = {
      perWindow: Math.max(leastLooksPerWindow, Math.ceil(windowMinutes * looksPerMinute)),
      warmUpMinutes: Math.min(warmUpMinutes, 0.25 * minutes),
    };
    const known = looks.filter((one) => one[key] !== undefined);
    const found = theilSen(
      floors(
        known.map((one) => ({ ...one, value: one[key] })),
        how,
      ),
    );
    slopes[kind] = found;
    const isKnown = found !== undefined && found.points >= leastWindows && minutes >= leastMinutes;
    if (isKnown && found.low > most)
      failures.push(`${name}: its ${kind} grows by ${Math.round(found.perMinute / 1024)} KiB a minute`);
  }
  const highest = Math.max(...looks.map(({ rssBytes = 0 }) => rssBytes));
  if (highest > maxRssBytes) failures.push(`${name}: took ${Math.round(highest / 1e6)} MB`);
  return { slopes, highestRssBytes: highest, failures };
}

/**
 * How long it took after each kind of fault, in milliseconds, the median and the worst; and what share of the frames that
 * were offered in the calm behind it was in time.
 */
export function sumRecovery(timeline) {
  const byKind = {};
  for (const step of timeline) {
    const kind = step.faults.length > 1 ? "two at once" : step.faults[0].name;
    byKind[kind] ??= [];
    byKind[kind].push(step);
  }
  return Object.fromEntries(
    Object.entries(byKind).map(([name, steps]) => {
      const known = steps.map(({ recoveryMs }) => recoveryMs).filter((ms) => ms !== null);
      known.sort((a, b) => a - b);
      const [medianMs = null, maxMs = null] = [known[known.length >> 1], known.at(-1)];
      const all = (count) => steps.reduce((sum, { calm }) => sum + calm[count], 0);
      const calmShare = Math.min(1, all("onTime") / Math.max(1, all("offered")));
      return [name, { count: steps.length, medianMs, maxMs, never: steps.length - known.length, calmShare }];
    }),
  );
}
