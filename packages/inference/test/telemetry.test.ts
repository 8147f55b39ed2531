import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import t from "tap";

t.test("onnxruntime keeps no identifier of the machine and reports to nobody", async (t) => {
  const home = t.testdir({});
  const { HOME: _, XDG_CACHE_HOME: __, ORT_DISABLE_TELEMETRY: ___, ...environment } = process.env;
  const script = fileURLToPath(new URL("./engine-process.js", import.meta.url));
  const { status, stderr } = spawnSync(process.execPath, [script, "close"], {
    env: { ...environment, HOME: home },
    encoding: "utf8",
  });
  t.equal(status, 0, stderr);
  t.strictSame(readdirSync(home, { recursive: true }), [], "nothing is left in the home folder");
});
