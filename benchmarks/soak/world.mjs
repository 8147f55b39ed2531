// The whole stack of a campaign: server, path, clients and disk, each where it can be hurt.
import { fork } from "node:child_process";
import { once } from "node:events";
import { rmSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { createCertificate } from "../../packages/http3/dist/index.js";
import { atExit } from "./at-exit.mjs";
import { createCaller } from "./channel.mjs";
import { openCompanions } from "./companions.mjs";
import { openDisk, openFullDisk } from "./disk.mjs";
import { openNetwork } from "./network.mjs";
import { findReservedPort } from "./reserved-port.mjs";
import { startServer } from "./server-process.mjs";

const here = (name) => fileURLToPath(new URL(name, import.meta.url));
/** For what has to happen on any machine. */
const limitMs = 60_000;
/** A drain may take 5 s. */
const endMs = 60_000;

export async function openWorld(options) {
  const { seed, engine, deadlineMs, framesPerSecond, model } = options;
  const directory = await mkdtemp(join(tmpdir(), "sluice-soak-"));
  const children = new Set();
  // Who is told to end at once leaves neither processes nor mounts behind.
  const isClosed = atExit(() => {
    for (const child of children) child.kill("SIGKILL");
    companions?.kill();
    disk?.close();
    full?.close();
    rmSync(directory, { recursive: true, force: true });
  });
  /** Servers one after another, and how each has ended. */
  const lives = [];
  const failures = [];
  let server;
  let disk;
  let full;
  let network;
  let companions;

  const files = { certFile: join(directory, "cert.pem"), keyFile: join(directory, "key.pem") };
  const port = await findReservedPort();

  function track(child, name) {
    children.add(child);
    const caller = createCaller(child, name);
    void caller.ended.then(() => children.delete(child));
    return { child, ...caller, kill: () => kill(child, caller.ended) };
  }

  async function kill(child, ended) {
    child.kill("SIGKILL");
    await ended;
  }

  async function start() {
    server = await startServer({ ...files, port, captures: disk.captures, engine, full, model });
    const { child, ended } = server;
    children.add(child);
    const life = { number: lives.length, server, ended: undefined, isEnding: false, lastMetrics: undefined };
    lives.push(life);
    void ended.then(({ code, signal }) => {
      children.delete(child);
      life.ended = signal ?? code;
      if (life.isEnding) return;
      failures.push(
        `the server ended by itself (${signal ?? code}): ${life.server.log.lastLines.join(" | ")}`,
      );
    });
  }

  /** @throws where it has not ended in time */
  async function endServer(signal) {
    const life = lives.at(-1);
    life.lastMetrics = await server.readMetrics();
    life.isEnding = true;
    const sinceMs = performance.now();
    server.child.kill(signal);
    await Promise.race([
      server.ended,
      sleep(endMs, undefined, { ref: false }).then(() => {
        throw new Error(`the server does not end on ${signal}`);
      }),
    ]);
    if (signal !== "SIGTERM") return;
    life.endedInMs = Math.round(performance.now() - sinceMs);
    if (life.ended !== 0) failures.push(`the server ended with ${life.ended} on SIGTERM`);
  }

  async function until(what, condition) {
    const lastMs = performance.now() + limitMs;
    while (!(await condition())) {
      if (performance.now() > lastMs) throw new Error(`not within ${limitMs / 1_000} s: ${what}`);
      await sleep(100);
    }
  }

  async function close() {
    for (const life of lives) life.isEnding = true;
    await companions?.close();
    for (const child of children) child.kill("SIGKILL");
    while (children.size > 0) await sleep(10);
    await network?.close();
    disk?.close();
    full?.close();
    await rm(directory, { recursive: true, force: true });
    isClosed();
  }

  try {
    const certificate = await createCertificate();
    await writeFile(files.certFile, certificate.cert);
    await writeFile(files.keyFile, certificate.key);
    disk = await openDisk(directory, () => server);
    full = await openFullDisk(directory);
    await start();
    const { engines } = await server.readMetrics();
    network = await openNetwork({ port, seed });
    const client = track(
      fork(here("./client-process.mjs"), { execArgv: ["--expose-gc"], detached: true }),
      "client",
    );
    const target = () => ({ url: `https://127.0.0.1:${port}`, port, certificateHash: certificate.hash });
    const way = { url: network.url, certificateHash: certificate.hash, deadlineMs, framesPerSecond };
    await client.call("open", way);
    companions = await openCompanions(options, { ...way, minutes: options.minutes });
    return {
      ...{
        client,
        companions,
        network,
        disk,
        lives,
        failures,
        until,
        target,
        close,
        endServer,
        startServer: start,
      },
      get server() {
        return server;
      },
      ...{ engine: engines.join(" and "), full },
      readMetrics: () => server.readMetrics(),
      startHostile: () => track(fork(here("./hostile-process.mjs"), { detached: true }), "hostile client"),
      /** A client of bad-client.mjs, ready to misbehave. */
      async startBadClient(kind) {
        const child = fork(here("../server/bad-client.mjs"), [kind], {
          stdio: ["ignore", "ignore", "ignore", "ipc"],
          detached: true,
        });
        const bad = track(child, kind);
        child.send({ ...target(), workload: "image" });
        const [{ ready }] = await Promise.race([
          once(child, "message"),
          // A network without room for it is no fault of the server.
          bad.ended.then(() => [{ ready: {} }]),
        ]);
        return { ...bad, ready };
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}
