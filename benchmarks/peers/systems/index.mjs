// Every system that is compared: a module beside this file with `serve` and `connect`, and its options.
import { spawnSync } from "node:child_process";
import process from "node:process";

/** Windows of 16 MiB: more than any tensor here, so that flow control never waits for a round trip. */
const TUNED_WINDOW_BYTES = 16 * 2 ** 20;

/**
 * `about` says library and settings; `transport` decides whether a congestion control of the system is chosen.
 * `isForLoopback`: a setting that a link hides.
 */
export const systems = {
  sluice: { title: "Sluice", module: "sluice", transport: "udp" },
  "sluice-whole": {
    ...{ title: "Sluice, whole tensors", module: "sluice", transport: "udp" },
    options: { stream: { minReceivedPercent: 100, fec: "rs:max=15" } },
  },
  "sluice-reliable": {
    ...{ title: "Sluice, reliable mode", module: "sluice", transport: "udp" },
    options: { stream: { mode: "reliable" } },
  },
  "sluice-caller": {
    ...{
      title: "Sluice, QUIC on the caller's thread",
      module: "sluice",
      transport: "udp",
      isForLoopback: true,
    },
    options: { server: { thread: "caller" }, transport: { thread: "caller" } },
  },
  ws: { title: "WebSocket", module: "ws", transport: "tcp" },
  grpc: { title: "gRPC, stock", module: "grpc", transport: "tcp" },
  "grpc-tuned": {
    ...{ title: "gRPC, windows of 16 MiB", module: "grpc", transport: "tcp" },
    options: { windowBytes: TUNED_WINDOW_BYTES },
  },
  http1: { title: "HTTP/1.1, undici", module: "http1", transport: "tcp" },
  http2: { title: "HTTP/2", module: "http2", transport: "tcp" },
  zeromq: { title: "ZeroMQ", module: "zeromq", transport: "tcp" },
  "data-channel": { title: "WebRTC data channel, unreliable", module: "data-channel", transport: "udp" },
  deno: {
    ...{ title: "Deno WebTransport, a stream per tensor", module: "deno", transport: "udp" },
    ...{ runtime: "deno", needsCertificate: true },
  },
};

/** @throws RangeError naming what is known */
export function findSystem(name) {
  if (!Object.hasOwn(systems, name))
    throw new RangeError(
      `unknown system ${JSON.stringify(name)} (known: ${Object.keys(systems).join(", ")})`,
    );
  return { name, ...systems[name] };
}

/** The system with the deadline of Sluice's streams, whose own is 150 ms; others have no use for it. */
export function withStreamDeadline(system, deadlineMs) {
  const { options } = system;
  return { ...system, options: { ...options, stream: { ...options?.stream, deadlineMs } } };
}

const DENO_ARGUMENTS = ["run", "--quiet", "-A", "--unstable-net", "--no-lock", "--no-config"];

/** The command line that a system's processes run under. */
export const runtimeOf = ({ runtime }) =>
  runtime === "deno" ? [process.env.DENO ?? "deno", ...DENO_ARGUMENTS] : [process.execPath];

/** Why a system cannot run here; `undefined` where it can. */
export async function whyMissing(system) {
  if (system.runtime === "deno")
    return spawnSync(runtimeOf(system)[0], ["--version"]).status === 0
      ? undefined
      : "no Deno at $DENO or on the path";
  try {
    await import(`./${system.module}.mjs`);
    return undefined;
  } catch (error) {
    return error.message.split("\n", 1)[0];
  }
}
