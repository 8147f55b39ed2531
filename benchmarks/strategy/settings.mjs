// Circumstances by name: what `--setting` stands for, less what is said beside it.
import { fileURLToPath } from "node:url";

const trace = (name) => fileURLToPath(new URL(`${name}.trace`, import.meta.url));

export const settings = {
  /**
   * Each way wins a phase clearly. The whole MobileNetV2 takes such a client some 180 ms, so that 5 frames a second are in
   * time; the 44 % of it before add_4 let 12 through, of 3.2 kB each at 8 levels; the image takes at least 60 kB. So all
   * 20 go to the server at 50 Mbit/s, the cut has about twice as many in time as the others at 2, and nothing but the client
   * has any at 0.1, where those 3.2 kB take 256 ms.
   */
  "three-ways": {
    ...{ preset: "mobilenet", split: "add_4", slowdown: "12", fps: "20", deadline: "300" },
    trace: trace("three-ways"),
  },
};
