import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import t from "tap";
import { findProgram } from "./find-program.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));
const compose = findProgram("docker-compose", "DOCKER_COMPOSE");

t.test(
  "the composition is sound, and every file that it mounts is there",
  { skip: compose === undefined ? "docker-compose is not installed" : false },
  async (t) => {
    const { status, stdout, stderr } = spawnSync(compose, ["--profile", "load", "config"], {
      cwd: root,
      encoding: "utf8",
    });
    t.equal(status, 0, stderr);
    const mounts = [...stdout.matchAll(/- (\/[^:\s]+):[^:\s]+:r[ow]/g)].map(([, path]) => path);
    t.ok(mounts.length >= 6, `${mounts.length} mounts`);
    for (const path of mounts) t.ok(existsSync(path), path);
    for (const [, port] of stdout.matchAll(/- (\S+:(?:9464|9090|3000))\b/g)) {
      t.match(port, /^127\.0\.0\.1:/, "what is for operators stays on this machine");
    }
    t.notMatch(stdout, /image: \S+:latest|image: [^:\s]+$/m, "every image is pinned");
  },
);
