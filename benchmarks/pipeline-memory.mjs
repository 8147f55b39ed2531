// Runs a pipeline against a source ten times too fast and watches the memory. Run it with `node --expose-gc`. `--help`
// lists the options.
import { spawn } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { createClient, pipeline } from "../packages/client/dist/index.js";
import { connect } from "../packages/http3/dist/index.js";
import { createTensor } from "../packages/tensor/dist/index.js";

const USAGE = `node --expose-gc benchmarks/pipeline-memory.mjs [options]
  --minutes M       how long, default 10
  --fps N           frames a second that the stages can do, default 30; the source gives ten times as many
  --bytes N         of a frame, default 100352
  --json            one JSON line for each sample and for the end`;

const SLUICE = fileURLToPath(new URL("../packages/cli/bin/sluice.js", import.meta.url));
/** The first part fills caches and lets the compiler work; growth is counted behind it. */
const warmUpShare = 0.2;
const samplesPerRun = 60;
/** Growth over the run that a leak of one frame in a hundred would exceed by far. */
const maxGrowthBytes = 8 * 1024 * 1024;

function parseOptions(args) {
  const { values } = parseArgs({
    args,
    options: {
      minutes: { type: "string", default: "10" },
      fps: { type: "string", default: "30" },
      bytes: { type: "string", default: "100352" },
      json: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  const read = (name, least, most) => {
    const value = Number(values[name]);
    if (!(value >= least && value <= most))
      throw new Error(`--${name} must be from ${least} to ${most}, got ${values[name]}`);
    return value;
  };
  return {
    ...{ ...values, minutes: read("minutes", 0.1, 1_440), fps: read("fps", 1, 200) },
    bytes: read("bytes", 1, 1 << 24),
  };
}

async function startServer() {
  const args = ["serve", "--listen", "127.0.0.1:0", "--metrics", "off", "--log-level", "error", "--json"];
  const child = spawn(process.execPath, [SLUICE, ...args, "--model", "sink"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [line] = await once(createInterface({ input: child.stdout }), "line");
  return { ...JSON.parse(line), stop: () => child.kill("SIGTERM") };
}

/** A camera that makes every frame anew, as a real one does. */
async function* camera(framesPerSecond, bytes, endMs) {
  const startMs = performance.now();
  for (let i = 0; performance.now() < endMs; i++) {
    const waitMs = startMs + (i * 1_000) / framesPerSecond - performance.now();
    if (waitMs > 0) await sleep(waitMs);
    yield createTensor("uint8", [bytes], new Uint8Array(bytes).fill(i), "any");
  }
}

function usedBytes() {
  globalThis.gc();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** Least squares over the samples behind the warm-up: what the memory grows by over the whole run. */
function growthOf(samples) {
  const kept = samples.slice(Math.floor(warmUpShare * samples.length));
  const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const at = mean(kept.map(({ seconds }) => seconds));
  const level = mean(kept.map(({ bytes }) => bytes));
  const slope =
    mean(kept.map(({ seconds, bytes }) => (seconds - at) * (bytes - level))) /
    mean(kept.map(({ seconds }) => (seconds - at) ** 2));
  return slope * samples.at(-1).seconds;
}

async function main({ minutes, fps, bytes, json }) {
  const server = await startServer();
  const client = await createClient(await connect(server.url, { certificateHash: server.certHash }));
  const startMs = performance.now();
  const lengthMs = 60_000 * minutes;
  const samples = [];
  const run = pipeline(camera(10 * fps, bytes, startMs + lengthMs))
    .client(async (tensor) => {
      await sleep(1_000 / fps);
      return tensor;
    })
    .encode("raw")
    .send(client, { model: "sink", deadlineMs: 200 });
  for await (const _ of run) {
    const seconds = (performance.now() - startMs) / 1_000;
    if (seconds * 1_000 < ((samples.length + 1) * lengthMs) / samplesPerRun) continue;
    samples.push({ seconds, bytes: usedBytes() });
    if (json) console.log(JSON.stringify(samples.at(-1)));
    else console.error(`${seconds.toFixed(0)} s: ${(samples.at(-1).bytes / 1e6).toFixed(2)} MB`);
  }
  const growthBytes = growthOf(samples);
  const { offered, dropped, delivered, onTime, expired } = run.figures();
  client.close();
  server.stop();
  const isFlat = growthBytes < maxGrowthBytes;
  const result = { minutes, bytes, offered, dropped, delivered, onTime, expired, growthBytes, isFlat };
  if (json) console.log(JSON.stringify(result));
  else
    console.log(
      `${offered} frames of ${bytes} B in ${minutes} min: ${dropped} dropped, ${onTime} of ${delivered} results on time; memory grew by ${(growthBytes / 1e6).toFixed(2)} MB: ${isFlat ? "flat" : "MISSED"}`,
    );
  if (!isFlat) process.exitCode = 1;
}

try {
  const options = parseOptions(process.argv.slice(2));
  if (options.help) console.log(USAGE);
  else if (!globalThis.gc) throw new Error("run it with node --expose-gc");
  else await main(options);
} catch (error) {
  console.error(`pipeline memory: ${error.message}\n\n${USAGE}`);
  process.exitCode = 2;
}
