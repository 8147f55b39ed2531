// Where Sluice's time goes on the hot path: client and server, the application's thread and QUIC's of each.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { largestCosts } from "../profile/costs.mjs";
import { createProgress } from "../progress.mjs";
import { openRecord, resultFile } from "../record.mjs";
import { runCell } from "../run-cell.mjs";
import { findSystem, withStreamDeadline } from "../systems/index.mjs";
import { whyNoTunLink } from "../tun-link/build.mjs";
import { link } from "./impaired-cells.mjs";
import { formatProfile } from "./profile-report.mjs";
import { openTunPaths } from "./tun-paths.mjs";

const defaults = { seconds: 3 };
const WARM_UP_SECONDS = 2;
const deadlineMs = 1_000;
const closed = (inFlight) => ({ kind: "closed", inFlight, warmUpSeconds: 0, deadlineMs });
const paced = { kind: "paced", framesPerSecond: 30, warmUpSeconds: 0, cap: 8, deadlineMs: 150 };

/** Paths through the code that differ. */
export const cells = [
  { key: "64 B, one in flight", name: "sluice", bytes: 64, workload: closed(1) },
  {
    key: "64 B, one in flight, QUIC on the caller's thread",
    name: "sluice-caller",
    bytes: 64,
    workload: closed(1),
  },
  { key: "100,352 B, real time, one in flight", name: "sluice", bytes: 100_352, workload: closed(1) },
  {
    key: "401,408 B, reliable, eight in flight",
    name: "sluice-reliable",
    bytes: 401_408,
    workload: closed(8),
  },
  { key: "5,120 B at 30/s, 5 % loss", name: "sluice", bytes: 5_120, workload: paced, loss: 0.05 },
];

const threadsOf = ({ options }) => (options?.transport?.thread === "caller" ? ["main"] : ["main", "worker"]);
const readProfile = (folder, side, thread) =>
  JSON.parse(readFileSync(join(folder, side, `${thread}.cpuprofile`), "utf8"));

const framesIn = ({ answered, frames }) =>
  answered ?? frames.filter(({ status }) => status === "answered").length;

async function measureCell(cell, { seconds, seed }, path) {
  const folder = mkdtempSync(join(tmpdir(), "sluice-profile-"));
  const { workload } = cell;
  const system = withStreamDeadline(findSystem(cell.name), workload.deadlineMs);
  if (cell.loss !== undefined) await path.set({ ...link, loss: cell.loss, seed });
  const place =
    cell.loss === undefined ? { host: "127.0.0.1" } : { host: path.serverHost, prefixes: path.prefixes };
  try {
    const measured = await runCell({
      ...place,
      system,
      workload: { seconds: seconds + WARM_UP_SECONDS, warmUpSeconds: 0 },
      task: { kind: "check", bytes: cell.bytes, seed },
      isProfiled: true,
      async around(run, profile) {
        await run({ ...workload, seconds: WARM_UP_SECONDS });
        await profile("start", folder);
        const result = await run({ ...workload, seconds });
        await profile("stop", folder);
        return result;
      },
    });
    const frames = framesIn(measured);
    const profiles = Object.fromEntries(
      ["client", "server"].flatMap((side) =>
        threadsOf(system).map((thread) => [`${side}, ${thread}`, readProfile(folder, side, thread)]),
      ),
    );
    const cpuMsPerFrame = ((measured.client.cpuSeconds + measured.server.cpuSeconds) / frames) * 1_000;
    const { workload: _, ...named } = cell;
    return { ...named, frames, cpuMsPerFrame, ...largestCosts(profiles, frames) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

export async function run(options) {
  const { seed, seconds = defaults.seconds } = options;
  const reason = whyNoTunLink();
  if (reason !== undefined) console.error(`peers profile: the lossy link is left out: ${reason}`);
  const wanted = cells.filter(({ key, loss }) => options.cells.test(key) && (!loss || reason === undefined));
  const file = options.record ? resultFile("profile") : undefined;
  const record = openRecord({ command: "profile", seed, seconds }, { file });
  const needsLink = wanted.some(({ loss }) => loss !== undefined);
  const paths = needsLink ? await openTunPaths(1) : undefined;
  const [path] = paths?.all ?? [];
  const progress = createProgress(wanted.length);
  try {
    for (const cell of wanted) {
      const line = record.add(await measureCell(cell, { seconds, seed }, path));
      progress(`${cell.key}: ${line.frames} frames, ${line.cpuMsPerFrame.toFixed(2)} ms of CPU each`);
      if (options.json) console.log(JSON.stringify(line));
    }
  } finally {
    await paths?.close();
  }
  if (!options.json) console.log(formatProfile(record));
  return 0;
}
