// The command line in processes of their own, as it runs on three machines: a server, a relay and a client.
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const BINARY = fileURLToPath(new URL("../../packages/cli/bin/sluice.js", import.meta.url));

/** Starts `sluice` and waits for its JSON line with an event. */
export async function startSluice(args, event) {
  const child = spawn(process.execPath, [BINARY, ...args], { stdio: ["ignore", "pipe", "inherit"] });
  const ended = new Promise((resolve) => child.once("exit", resolve));
  for await (const line of createInterface({ input: child.stdout })) {
    const message = line.startsWith("{") ? JSON.parse(line) : {};
    if (message.event !== event) continue;
    // What it says afterwards is not needed, and must not fill the pipe.
    child.stdout.resume();
    return {
      message,
      async close() {
        child.kill("SIGTERM");
        await ended;
      },
    };
  }
  throw new Error(`sluice ${args[0]} ended with ${await ended} before it said "${event}"`);
}

/** Runs `sluice` to its end. @returns the last JSON object that it printed */
export async function runSluice(args) {
  const child = spawn(process.execPath, [BINARY, ...args], { stdio: ["ignore", "pipe", "inherit"] });
  const ended = new Promise((resolve) => child.once("exit", resolve));
  let text = "";
  for await (const chunk of child.stdout.setEncoding("utf8")) text += chunk;
  const code = await ended;
  if (code !== 0) throw new Error(`sluice ${args.join(" ")} ended with ${code}`);
  return JSON.parse(text.trim().split("\n").at(-1));
}
