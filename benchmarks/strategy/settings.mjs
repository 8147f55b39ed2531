// Circumstances by name: what `--setting` stands for, less what is said beside it.
import { fileURLToPath } from "node:url";

const trace = (name) => fileURLToPath(new URL(`${name}.trace`, import.meta.url));

export const settings = {
  /**
   * The image is the best at 50 Mbit/s, and the client alone at 0.1; at 2 no choice by itself brings half of the frames: the whole
   * MobileNetV2 takes such a client 85 ms, so that about 11 frames a second are in time at most; the 44 % of it before add_4
   * leave it no time to spare at 20, for 3.2 kB each at 8 levels; the image takes at least 60 kB, 240 ms at 2 Mbit/s; and at 0.1
   * those 3.2 kB take 256 ms.
   */
  "three-ways": {
    ...{ preset: "mobilenet", split: "add_4", "device-ms": "85", fps: "20", deadline: "300" },
    trace: trace("three-ways"),
  },
};
