// The client of a system: started with the name of its module, told what to do by JSON lines.
import process from "node:process";
import { answerCommands } from "../micro/transport/answer-commands.mjs";
import { openConnections } from "./connections.mjs";
import { followProfile } from "./profile/follow-profile.mjs";
import { readUsage } from "./usage.mjs";
import { runWorkload } from "./workload.mjs";

const system = await import(`./systems/${process.argv[2]}.mjs`);

let connection;
let task;

answerCommands({
  async connect({ address, options, task: settings, sessions }) {
    const { createClientTask } = await import(`./tasks/${settings.kind}.mjs`);
    task = await createClientTask(settings);
    const startMs = performance.now();
    connection = await openConnections(sessions, () => system.connect(address, { options, task }));
    return { connectMs: performance.now() - startMs };
  },
  /** Runs a workload over the connection, as often as it is asked; `startedMs` is by the clock of all processes. */
  async measure({ workload }) {
    const startedMs = performance.timeOrigin + performance.now();
    return { startedMs, ...(await runWorkload(connection, task, workload)) };
  },
  usage: async () => readUsage(),
  /** `prepare` before the first session, then `start` and `stop`: see `profile/sampler.mjs`. */
  profile: (command) => followProfile(command),
});
