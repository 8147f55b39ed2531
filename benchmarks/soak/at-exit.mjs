// What has to be undone where a process is told to end before it could do so in order.
import process from "node:process";

/** Those after which a shell says 128 and their number. */
const signals = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 };

/**
 * Runs `undo`, which must not wait, when this process ends.
 * @returns {() => void} that it is not needed any more
 */
export function atExit(undo) {
  process.once("exit", undo);
  return () => process.off("exit", undo);
}

/** From now on a signal ends this process by way of what `atExit` was given. */
export function exitOnSignals() {
  for (const [signal, number] of Object.entries(signals))
    process.on(signal, () => process.exit(128 + number));
}
