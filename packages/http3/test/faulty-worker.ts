// Entry of a QUIC worker that does on request what the real one must survive: the product has no such door.
import { pbkdf2Sync } from "node:crypto";
import { BroadcastChannel } from "node:worker_threads";
import "#src/quiche/worker.js";
import { FAULTS_CHANNEL, type Fault } from "./worker-faults.js";

const channel = new BroadcastChannel(FAULTS_CHANNEL);
channel.onmessage = (event) => {
  const { data } = event as { data: Fault };
  switch (data) {
    case "hang":
      for (;;);
    case "stuck":
      // Seconds of native code, which nobody can interrupt, and a hang after it.
      pbkdf2Sync("password", "salt", 10_000_000, 64, "sha512");
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
