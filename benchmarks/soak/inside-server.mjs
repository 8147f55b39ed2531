// Loaded by `node --import` into `sluice serve`, and into the threads that it starts: the doors through which the
// campaign does what the product has no door for. Without a command nothing is different.
import fs from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import process from "node:process";
import { BroadcastChannel, isMainThread } from "node:worker_threads";

const inferenceChannel = "sluice-soak-inference";

if (isMainThread) await serveCommands();
else crashWhenTold();

/** A thread that runs a network. */
function crashWhenTold() {
  const channel = new BroadcastChannel(inferenceChannel);
  channel.onmessage = () => {
    throw new Error("injected");
  };
  channel.unref();
}

async function serveCommands() {
  const [{ answerCommands }, { jumpClock }, { look }, { runFaultyWorkers }] = await Promise.all([
    import("./channel.mjs"),
    import("./jump-clock.mjs"),
    import("./look.mjs"),
    import("../../packages/http3/dist/test/worker-faults.js"),
  ]);
  const injectQuicFault = runFaultyWorkers();
  const inference = new BroadcastChannel(inferenceChannel);
  inference.unref();
  const { appendFile } = fs;
  let isDiskFull = false;
  fs.appendFile = (...given) => {
    if (!isDiskFull) return appendFile(...given);
    return Promise.reject(Object.assign(new Error("ENOSPC: no space left (injected)"), { code: "ENOSPC" }));
  };
  syncBuiltinESMExports();
  answerCommands({
    look,
    jumpClock,
    crashInference: () => inference.postMessage("crash"),
    failQuic: injectQuicFault,
    fillDisk: (isFull) => {
      isDiskFull = isFull;
    },
  });
  // The server ends when it has nothing left to do: listening for commands is nothing.
  process.channel?.unref();
}
