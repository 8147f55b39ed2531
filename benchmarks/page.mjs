// Measures the demo's page in a real Chromium: frames in time, and what holds the page's main thread up. `--help` explains.
import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import process from "node:process";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { openChromium } from "@sluice/chromium-test";
import { runCommand, UsageError } from "./accuracy/run-command.mjs";
import { describeEnvironment, readLoad } from "./micro/transport/environment.mjs";

const usage = `node benchmarks/page.mjs [options]
  --seconds S    after the start-up, 5 to 3600, default 60
  --loss P       per cent of the packets, each way, default 3
  --delay MS     each way, default 20
  --codec TEXT   one of the page's, default its own default
  --json         one JSON line instead of text
  --record       write benchmarks/results/page.jsonl and page.md
  --note TEXT    said beside a recorded result`;

const sluice = fileURLToPath(new URL("../packages/cli/bin/sluice.js", import.meta.url));
const results = new URL("results/", import.meta.url);
/** Results that have come when the start-up is over: everything is loaded, compiled and warm. */
const startUpResults = 90;
const startUpLimitMs = 120_000;
/** https://www.w3.org/TR/longtasks-1/ */
const longTaskMs = 50;

function parseOptions(args) {
  const { values } = parseArgs({
    args,
    options: {
      seconds: { type: "string", default: "60" },
      loss: { type: "string", default: "3" },
      delay: { type: "string", default: "20" },
      codec: { type: "string", default: "" },
      note: { type: "string", default: "" },
      json: { type: "boolean", default: false },
      record: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  const number = (name, min, max) => {
    const value = Number(values[name]);
    if (value >= min && value <= max) return value;
    throw new UsageError(`--${name} must be ${min} to ${max}, got ${values[name]}`);
  };
  return {
    ...values,
    seconds: number("seconds", 5, 3_600),
    loss: number("loss", 0, 30),
    delay: number("delay", 0, 200),
  };
}

async function startServer() {
  const where = [
    "--listen",
    "127.0.0.1:0",
    "--metrics",
    "off",
    "--demo",
    "127.0.0.1:0",
    "--log-level",
    "error",
  ];
  const child = spawn(process.execPath, [sluice, "serve", ...where, "--json"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const line = await new Promise((resolve, reject) => {
    createInterface({ input: child.stdout }).once("line", resolve);
    child.once("exit", (code) => reject(new Error(`sluice serve ended with code ${code}`)));
  });
  return { url: JSON.parse(line).pageUrl, stop: () => child.kill("SIGTERM") };
}

/** Written in the page's own words: the policy of the page lets nothing else in. */
const setUp = ({ loss, delay, codec }) => `(() => {
  globalThis.longTasks = [];
  new PerformanceObserver((list) => {
    for (const { startTime, duration } of list.getEntries()) longTasks.push({ startTime, duration });
  }).observe({ type: "longtask", buffered: true });
  const form = document.getElementById("controls");
  form.elements.lossPercent.value = ${loss};
  form.elements.delayMs.value = ${delay};
  if (${JSON.stringify(codec)}) form.elements.codec.value = ${JSON.stringify(codec)};
  form.elements.lossPercent.dispatchEvent(new Event("input", { bubbles: true }));
})()`;

const read = `(() => {
  const { ended, delivered, onTime } = document.getElementById("flow").dataset;
  const texts = Object.fromEntries([...document.querySelectorAll(".tiles dd")].map((tile) => [tile.id.slice(5), tile.textContent]));
  return { atMs: performance.now(), ended: +ended, delivered: +delivered, onTime: +onTime,
    transport: document.getElementById("transport").textContent, texts, longTasks };
})()`;

async function measure(options, signal) {
  const server = await startServer();
  const browser = await openChromium({ viewport: { width: 1440, height: 900 } });
  const stop = async () => {
    await browser.close();
    server.stop();
  };
  try {
    const { page, version } = browser;
    await page.goto(server.url);
    await page.evaluate(setUp(options));
    const limitMs = performance.now() + startUpLimitMs;
    let before = await page.evaluate(read);
    while (before.delivered < startUpResults) {
      if (performance.now() > limitMs)
        throw new Error(`${before.delivered} results within ${startUpLimitMs / 1_000} s`);
      await sleep(250, undefined, { signal });
      before = await page.evaluate(read);
    }
    process.stderr.write(`streaming; measuring for ${options.seconds} s ...\n`);
    await sleep(options.seconds * 1_000, undefined, { signal });
    const after = await page.evaluate(read);
    const seconds = (after.atMs - before.atMs) / 1_000;
    const ended = after.ended - before.ended;
    const tasks = after.longTasks.filter(
      ({ startTime, duration }) => startTime >= before.atMs && duration > longTaskMs,
    );
    return {
      ...{
        seconds,
        loss: options.loss,
        delayMs: options.delay,
        chromium: version,
        transport: after.transport,
      },
      ...{ frames: ended, framesPerSecond: ended / seconds, delivered: after.delivered - before.delivered },
      onTimePercent: (100 * (after.onTime - before.onTime)) / ended,
      ...{ longTasks: tasks.length, longestTaskMs: Math.max(0, ...tasks.map(({ duration }) => duration)) },
      startUpLongTasks: after.longTasks.length - tasks.length,
      page: after.texts,
    };
  } finally {
    await stop();
  }
}

const format = (found) =>
  [
    `${found.seconds.toFixed(1)} s through ${found.delayMs} ms and ${found.loss} % loss each way, ${found.transport}, Chromium ${found.chromium}`,
    `frames             ${found.frames}, ${found.framesPerSecond.toFixed(2)} a second`,
    `delivered          ${found.delivered}`,
    `in time            ${found.onTimePercent.toFixed(2)} %`,
    `long tasks         ${found.longTasks} over ${longTaskMs} ms after the start-up, the longest ${found.longestTaskMs} ms`,
    `the page's tiles   ${Object.entries(found.page)
      .map(([name, value]) => `${name} ${value}`)
      .join(", ")}`,
  ].join("\n");

function record(found, environment, load, note) {
  writeFileSync(new URL("page.jsonl", results), `${JSON.stringify({ environment, load, note, ...found })}\n`);
  writeFileSync(
    new URL("page.md", results),
    `# The page in Chromium

Written by \`node benchmarks/page.mjs --record\`; how it measures is in \`benchmarks/README.md\`.

- ${environment.date}, commit ${environment.commit}
- Node ${environment.node}, ${environment.cpu}, ${environment.cores} cores, Linux ${environment.kernel}
- Load average before: ${load.before.join(" ")}, after: ${load.after.join(" ")} (the benchmark's own included)
${note ? `- ${note}\n` : ""}
\`\`\`
${format(found)}
\`\`\`
`,
  );
}

await runCommand({ name: "page", usage, parseOptions }, async (options, signal) => {
  const before = readLoad();
  const found = await measure(options, signal);
  console.log(options.json ? JSON.stringify(found) : format(found));
  if (options.record) record(found, describeEnvironment(), { before, after: readLoad() }, options.note);
});
