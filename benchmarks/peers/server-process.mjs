// The server of a system: started with the name of its module, told what to do by JSON lines.
import process from "node:process";
import { answerCommands } from "../micro/transport/answer-commands.mjs";
import { followProfile } from "./profile/follow-profile.mjs";
import { readUsage } from "./usage.mjs";

const system = await import(`./systems/${process.argv[2]}.mjs`);

let running;
let collect = () => {};

answerCommands({
  async serve({ host, options, task, certificate }) {
    const { createServerTask } = await import(`./tasks/${task.kind}.mjs`);
    const serverTask = await createServerTask(task);
    collect = serverTask.collect ?? collect;
    running = await system.serve({ host, ...serverTask, options, certificate });
    return { address: running.address, about: system.about };
  },
  /** The frames are through: what the task has kept goes where it belongs. */
  async collect() {
    collect();
    return {};
  },
  usage: async () => readUsage(),
  /** `prepare` before the first session, then `start` and `stop`: see `profile/sampler.mjs`. */
  profile: (command) => followProfile(command),
});
