type Command = (argument: never) => unknown;

/** What nobody caught in this process. */
export const faults: string[] = [];

/** Answers the commands of a `Child` until it lets go. */
export function serveCommands(commands: Readonly<Record<string, Command>>): void {
  process.on("uncaughtException", (error) => faults.push(`uncaught: ${error.stack ?? error}`));
  process.on("unhandledRejection", (error) => faults.push(`unhandled rejection: ${String(error)}`));
  process.on("disconnect", () => process.exit(0));
  process.on("message", (message: { id: number; command: string; argument: never }) => {
    const { id, command, argument } = message;
    Promise.resolve()
      .then(() => commands[command]?.(argument))
      .then(
        (result) => process.send?.({ id, result }),
        (error: unknown) =>
          process.send?.({ id, error: error instanceof Error ? (error.stack ?? "") : String(error) }),
      );
  });
}
