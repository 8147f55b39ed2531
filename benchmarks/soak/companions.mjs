// Further clients beside the campaign's own, each as its users start it: they go through all that happens, come back behind
// it, and account for their frames at the end.
import { setTimeout as sleep } from "node:timers/promises";
import { findChromium, noChromium } from "@sluice/chromium-test";
import { openPageCompanion } from "./companion-page.mjs";
import { openStreamCompanion } from "./companion-stream.mjs";

const pollMs = 100;

const stream = (...args) => ({ open: (target) => openStreamCompanion(args, target) });

/** By name; `missing` says why a machine has none, `isLocal` that frames may be answered without the server. */
export const companionKinds = {
  datagram: stream(),
  repaired: stream("--fec", "rs:max=30", "--min-received", "50"),
  reliable: stream("--mode", "reliable"),
  auto: { ...stream("--strategy", "auto"), isLocal: true },
  page: { open: openPageCompanion, missing: () => (findChromium() ? undefined : noChromium) },
};

/** The client of a model of one's own: whole at the server, or cut. */
const ofModel = (file, split) =>
  stream(
    ...["--model", file, "--source", "synthetic"],
    ...(split === undefined ? ["--strategy", "server"] : ["--split", split]),
  );

/**
 * @param {{ companions: readonly string[], model?: string, split?: string }} wanted
 * @param {{ url: string, certificateHash: string, deadlineMs: number, framesPerSecond: number, minutes: number }} target
 */
export async function openCompanions({ companions, model, split }, target) {
  const kinds = companions.map((name) => [name, companionKinds[name]]);
  if (model !== undefined) kinds.push(["model", ofModel(model, split)]);
  const missing = {};
  const open = [];
  /** Those that would go on by themselves; a browser ends with who has started it. */
  const kill = () => {
    for (const { child } of open) child?.kill("SIGKILL");
  };
  const close = async () => {
    kill();
    await Promise.all(open.map((one) => one.close?.()));
  };
  try {
    for (const [name, kind] of kinds) {
      const reason = kind.missing?.();
      if (reason === undefined)
        open.push({ name, isLocal: kind.isLocal ?? false, ...(await kind.open(target)) });
      else missing[`companion ${name}`] = reason;
    }
  } catch (error) {
    await close();
    throw error;
  }

  return {
    ...{ missing, kill, close },
    /** @returns looks by name; see look.mjs */
    async look() {
      return Object.fromEntries(await Promise.all(open.map(async (one) => [one.name, await one.look()])));
    },
    /** How long until each has another frame delivered, in milliseconds, by name; `null`: not within the limit. */
    async recover(limitMs) {
      return Object.fromEntries(
        await Promise.all(open.map(async (one) => [one.name, await untilDelivered(one, limitMs)])),
      );
    },
    /** Ends all in order. @returns `{ name, isLocal, frames, failures }` of each */
    async finish() {
      const ended = await Promise.all(
        open.map(async ({ name, isLocal, finish }) => ({ name, isLocal, ...(await finish()) })),
      );
      open.length = 0;
      return ended;
    },
  };
}

async function untilDelivered({ delivered }, limitMs) {
  const sinceMs = performance.now();
  const before = await delivered();
  while ((await delivered()) === before) {
    if (performance.now() - sinceMs > limitMs) return null;
    await sleep(pollMs);
  }
  return Math.round(performance.now() - sinceMs);
}
