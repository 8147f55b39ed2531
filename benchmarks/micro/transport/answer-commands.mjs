import process from "node:process";
import { createLineChannel } from "./line-channel.mjs";

/**
 * The other side of `startProcess`: runs the commands that come, answers each, and ends with its input.
 * @param commands functions by name that resolve to the fields of the answer
 */
export function answerCommands(commands) {
  const channel = createLineChannel(process.stdin, process.stdout, (command) => {
    const { id, name } = command;
    commands[name](command).then(
      (answer) => channel.send({ id, ...answer }),
      (error) => channel.send({ id, error: String(error?.message ?? error) }),
    );
  });
  process.stdin.on("end", () => process.exit(0));
  channel.send({ id: 0 });
}
