import { existsSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { removeStaleOutputs } from "../stale-outputs.mjs";

t.test("outputs of deleted sources go, all others stay", async (t) => {
  const root = t.testdir({
    packages: {
      one: {
        src: { "kept.ts": "", deep: { "kept.ts": "" } },
        test: { "kept.test.ts": "" },
        dist: {
          ".tsbuildinfo": "",
          "kept.js": "",
          "kept.js.map": "",
          "kept.d.ts": "",
          "gone.js": "",
          "gone.d.ts.map": "",
          "data.wasm": "",
          deep: { "kept.js": "", "gone.js": "" },
          test: { "kept.test.js": "", "gone.test.js": "" },
        },
      },
      unbuilt: { src: { "a.ts": "" } },
    },
  });
  const dist = join("packages", "one", "dist");
  t.same(
    removeStaleOutputs(root).sort(),
    ["deep/gone.js", "gone.d.ts.map", "gone.js", "test/gone.test.js"].map((path) => join(dist, path)),
  );
  for (const path of [
    "kept.js",
    "kept.js.map",
    "kept.d.ts",
    ".tsbuildinfo",
    "data.wasm",
    "test/kept.test.js",
  ]) {
    t.ok(existsSync(join(root, dist, path)), path);
  }
});
