// Commands over the channel of a forked process: `answerCommands` in the child, `createCaller` in the parent.
import process from "node:process";

/** A process that does not answer for so long hangs; the slowest answer waits for a machine that is busy. */
const answerMs = 120_000;

/**
 * Answers the commands of the parent, by name; this holds the process until the parent lets go of the channel.
 * @param {Readonly<Record<string, (argument: unknown) => unknown>>} commands
 */
export function answerCommands(commands) {
  process.on("message", async ({ id, command, argument }) => {
    const answer = await Promise.resolve(argument)
      .then(commands[command])
      .then(
        (result) => ({ id, result }),
        (error) => ({ id, error: error.stack }),
      );
    if (process.connected) process.send(answer);
  });
}

/**
 * Calls commands of a child, and knows how it ended.
 * @param {import("node:child_process").ChildProcess} child
 * @param {string} name for messages
 */
export function createCaller(child, name) {
  const waiting = new Map();
  let nextId = 0;
  child.on("message", ({ id, result, error }) => {
    const call = waiting.get(id);
    waiting.delete(id);
    if (error === undefined) call?.resolve(result);
    else call?.reject(new Error(`${name}: ${error}`));
  });
  const ended = new Promise((resolve) => {
    child.once("exit", (code, signal) => {
      for (const { reject } of waiting.values()) reject(new Error(`${name} has ended (${signal ?? code})`));
      waiting.clear();
      resolve({ code, signal });
    });
  });
  // The channel of a child that is gone is told by its exit.
  child.on("error", () => {});
  return {
    ended,
    /** @returns {Promise<any>} what the command gave */
    call(command, argument = {}) {
      if (!child.connected) return Promise.reject(new Error(`${name} has ended`));
      const id = nextId++;
      return new Promise((resolve, reject) => {
        const timer = setTimeout(
          () => settle(reject)(new Error(`${name} does not answer ${command}`)),
          answerMs,
        );
        const settle = (done) => (value) => {
          clearTimeout(timer);
          waiting.delete(id);
          done(value);
        };
        waiting.set(id, { resolve: settle(resolve), reject: settle(reject) });
        child.send({ id, command, argument });
      });
    },
  };
}
