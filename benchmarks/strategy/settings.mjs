// Circumstances by name: what `--setting` stands for, less what is said beside it.
import { fileURLToPath } from "node:url";

const trace = (name) => fileURLToPath(new URL(`${name}.trace`, import.meta.url));

export const settings = {
  /**
   * The image is as good as the cut at 50 Mbit/s, the cut is the best at 2, the client alone at 0.1: the whole MobileNetV2 takes such a client
   * some 85 ms, so that about 11 frames a second are in time; the 44 % of it before add_4 let twice as many through, of 3.2 kB each at 8 levels; the image takes at least 60 kB, 240 ms at 2 Mbit/s; and at 0.1
   * those 3.2 kB take 256 ms.
   */
  "three-ways": {
    ...{ preset: "mobilenet", split: "add_4", slowdown: "7", fps: "20", deadline: "300" },
    trace: trace("three-ways"),
  },
};
