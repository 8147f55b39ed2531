// Entry of a QUIC worker that does on request what the real one must survive: the product has no such door.
import { spawnSync } from "node:child_process";
import { BroadcastChannel } from "node:worker_threads";
import "#src/quiche/worker.js";
import { FAULTS_CHANNEL, type Fault } from "./worker-faults.js";

/** Ends once the file that is its argument exists, or its folder is gone. */
const WAIT_FOR_FILE = `
  const { existsSync } = require("node:fs");
  const { dirname } = require("node:path");
  const file = process.argv[1];
  setInterval(() => (existsSync(file) || !existsSync(dirname(file))) && process.exit(), 20);`;

const channel = new BroadcastChannel(FAULTS_CHANNEL);
channel.onmessage = (event) => {
  const { data } = event as { data: Fault };
  if (typeof data === "object") {
    // Native code, which nobody can interrupt.
    spawnSync(process.execPath, ["-e", WAIT_FOR_FILE, data.stuckUntil]);
    return;
  }
  switch (data) {
    case "hang":
      for (;;);
    case "throw":
      throw new Error("injected");
    case "reject":
      void Promise.reject(new Error("injected"));
      return;
    case "exit":
      process.exit(3);
  }
};
