import { spawnSync } from "node:child_process";
import process from "node:process";
import { selectEngine } from "../../../packages/http3/dist/index.js";

const node = { command: process.execPath, runtimeArguments: [], parameters: {} };

/** Always measured: ratios are taken to them. `provides` says what measures of `needs` they take part in. */
const RAW = [
  { ...node, name: "udp", title: "raw UDP", carrier: "udp", provides: ["datagrams"] },
  { ...node, name: "tcp", title: "raw TCP", carrier: "tcp", provides: ["streams", "packet-size"] },
];

const ENGINES = [
  {
    ...node,
    name: "quiche",
    title: "quiche",
    carrier: "sluice",
    parameters: { engine: "quiche" },
    provides: ["datagrams", "streams", "packet-size"],
  },
  {
    ...node,
    name: "quiche-caller",
    title: "quiche, on the caller's thread",
    carrier: "sluice",
    parameters: { engine: "quiche", thread: "caller" },
    provides: ["datagrams", "streams", "packet-size"],
  },
  {
    ...node,
    name: "quinn",
    title: "quinn",
    carrier: "sluice",
    parameters: { engine: "quinn" },
    provides: ["datagrams", "streams"],
  },
  {
    ...node,
    name: "websocket",
    title: "websocket",
    carrier: "sluice",
    parameters: { engine: "websocket" },
    provides: ["streams"],
  },
  {
    ...node,
    name: "fails",
    title: "fails",
    carrier: "sluice",
    parameters: { engine: "fails" },
    provides: ["datagrams", "streams"],
  },
  {
    ...node,
    name: "memory",
    title: "memory",
    carrier: "memory",
    isOneProcess: true,
    provides: ["datagrams", "streams"],
  },
];

export const engineNames = ENGINES.map(({ name }) => name);

function findDeno() {
  const command = process.env.DENO ?? "deno";
  const { stdout, status } = spawnSync(command, ["--version"], { encoding: "utf8" });
  if (status !== 0) return undefined;
  return {
    ...node,
    command,
    runtimeArguments: ["run", "--quiet", "-A", "--unstable-net", "--no-lock", "--no-config"],
    name: "deno",
    title: stdout.split(" (", 1)[0].replace("deno", "Deno"),
    carrier: "deno",
    provides: ["datagrams", "streams"],
  };
}

/** Those that can be measured here, and for each other one why it was left out. */
export async function findPeers(wantedEngines) {
  const peers = [...RAW];
  const leftOut = [];
  for (const engine of ENGINES.filter(({ name }) => wantedEngines.includes(name))) {
    try {
      if (engine.carrier === "sluice") await selectEngine(engine.parameters.engine);
      peers.push(engine);
    } catch (error) {
      leftOut.push({ peer: engine.name, reason: error.message });
    }
  }
  const deno = findDeno();
  if (deno === undefined) leftOut.push({ peer: "deno", reason: "no Deno at $DENO or on the path" });
  else peers.push(deno);
  return { peers, leftOut };
}
