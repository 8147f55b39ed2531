import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

const CHILD = fileURLToPath(new URL("child.mjs", import.meta.url));

/** Starts `child.mjs` in a role and waits until it is ready. */
export async function startChild(role, options) {
  const child = fork(CHILD, [role], { stdio: ["ignore", "inherit", "inherit", "ipc"] });
  child.send(options);
  const [message] = await Promise.race([
    once(child, "message"),
    once(child, "exit").then(([code]) => {
      throw new Error(`the ${role} ended with ${code} before it was ready`);
    }),
  ]);
  return { ...message.ready, close: () => child.disconnect() };
}
