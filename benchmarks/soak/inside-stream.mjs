// Loaded by `node --import` into `sluice stream`: the campaign looks at its memory from inside, after a collection. Without
// a command nothing is different.
import process from "node:process";
import { isMainThread } from "node:worker_threads";

if (isMainThread) {
  const [{ answerCommands }, { look }] = await Promise.all([import("./channel.mjs"), import("./look.mjs")]);
  answerCommands({ look });
  // It ends when its frames have: listening for commands is nothing.
  process.channel?.unref();
}
