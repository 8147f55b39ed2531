// Two network namespaces with a link between them, and everything that takes them away again.
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import process from "node:process";
import { createInterface } from "node:readline";

const PREFIX = "sluice-peers";
const DEVICE = "sluice0";
const DEVICE_QUEUE = "16000";
const CLIENT_HOST = "10.77.0.1";
const SERVER_HOST = "10.77.0.2";

function ip(...parameters) {
  const { status, stderr } = spawnSync("ip", parameters, { encoding: "utf8" });
  if (status !== 0) throw new Error(`ip ${parameters.join(" ")}: ${stderr.trim()}`);
}

const isAlive = (pid) => readdirSync("/proc").includes(pid);

/** Takes away what a run that was killed has left. */
export function removeStaleNamespaces() {
  const { stdout } = spawnSync("ip", ["netns", "list"], { encoding: "utf8" });
  for (const line of stdout.split("\n")) {
    const [name] = line.split(" ");
    const [, pid] = name.match(new RegExp(`^${PREFIX}-(\\d+)-`)) ?? [];
    if (pid !== undefined && !isAlive(pid)) ip("netns", "delete", name);
  }
}

let made = 0;

function addNamespace(name) {
  ip("netns", "add", name);
  ip("-n", name, "link", "set", "lo", "up");
  // What one connection has learned of the path is none of the next one's business.
  spawnSync("ip", ["netns", "exec", name, "sysctl", "-qw", "net.ipv4.tcp_no_metrics_save=1"]);
}

function addAddress(name, host, peer) {
  ip("-n", name, "link", "set", DEVICE, "addrgenmode", "none");
  // The queue of the link is the program's: the device's own holds what comes while that is not on a core.
  ip("-n", name, "link", "set", DEVICE, "txqueuelen", DEVICE_QUEUE);
  ip("-n", name, "address", "add", host, "peer", peer, "dev", DEVICE);
  ip("-n", name, "link", "set", DEVICE, "up");
}

function startLink(program, client, server) {
  const child = spawn(program, [client, server], { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const nextLine = async () => {
    const { value, done } = await lines.next();
    if (done) throw new Error("the TUN link has ended");
    return value;
  };
  return {
    ready: nextLine(),
    ask(command) {
      child.stdin.write(`${command}\n`);
      return nextLine();
    },
    async stop() {
      if (child.exitCode !== null || child.pid === undefined) return;
      const ended = once(child, "exit");
      child.stdin.end();
      await ended;
    },
  };
}

/**
 * Makes the namespaces and the link. They go with `close`, at the latest with this process.
 * @param program from `buildTunLink`
 * @returns `prefixes`: command lines that run a process at an end; `serverHost`: where a server listens
 */
export async function openTunPath(program) {
  made += 1;
  const names = ["client", "server"].map((end) => `${PREFIX}-${process.pid}-${made}${end[0]}`);
  const [client, server] = names;
  const remove = () => {
    for (const name of names) spawnSync("ip", ["netns", "delete", name]);
  };
  process.once("exit", remove);
  try {
    names.forEach(addNamespace);
    const link = startLink(program, client, server);
    await link.ready;
    addAddress(client, CLIENT_HOST, SERVER_HOST);
    addAddress(server, SERVER_HOST, CLIENT_HOST);
    const execIn = (name) => ["ip", "netns", "exec", name];
    return {
      serverHost: SERVER_HOST,
      prefixes: { client: execIn(client), server: execIn(server) },
      /**
       * Of both directions, and the counters begin anew.
       * @param parameters.rateBitsPerSecond of the bottleneck
       * @param parameters.delayMs one way
       * @param parameters.queueMs what the bottleneck's queue holds at most
       * @param parameters.loss share of packets, 0 to 1
       * @param parameters.burst mean run of lost packets; 1: independent losses
       */
      async set({ rateBitsPerSecond, delayMs, queueMs, loss = 0, burst = 1, seed = 1 }) {
        const times = [delayMs, queueMs].map((ms) => Math.round(ms * 1_000));
        const answer = await link.ask(["set", rateBitsPerSecond, ...times, loss, burst, seed].join(" "));
        if (answer !== "set") throw new Error(`the TUN link refused its parameters: ${answer}`);
      },
      /** Packets and bytes (IP headers included) since `set`, `up` from the client and `down` to it. */
      readCounters: async () => JSON.parse(await link.ask("stats")),
      /** For TCP connections of both ends that are made from now on. */
      setCongestionControl(name) {
        ip("-n", client, "route", "replace", SERVER_HOST, "dev", DEVICE, "src", CLIENT_HOST, "congctl", name);
        ip("-n", server, "route", "replace", CLIENT_HOST, "dev", DEVICE, "src", SERVER_HOST, "congctl", name);
      },
      async close() {
        await link.stop();
        remove();
        process.removeListener("exit", remove);
      },
    };
  } catch (error) {
    remove();
    throw error;
  }
}
