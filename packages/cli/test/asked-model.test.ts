/** A client asks for a model by the name and the version that the server gave it. */
import { ExitCode } from "@sluice/cli";
import t from "tap";
import { runHere } from "./run-here.js";
import { startServer } from "./start-server.js";

t.test("the same network under other names and versions", async (t) => {
  const models = ["--model", "clothes@1=fashion", "--model", "clothes@2=fashion"];
  const [, { url, certHash }] = await startServer(t, models);
  const ask = (model: string) =>
    runHere([
      ...["stream", url, "--cert-hash", certHash, "--model", model],
      ...["--frames", "2", "--fps", "10", "--deadline-ms", "5000", "--json"],
    ]);
  const run = await ask("clothes@1=fashion");
  t.equal(run.code, 0, run.stderr);
  t.match(JSON.parse(run.stdout), { model: "clothes@1", offered: 2, corrupt: 0 });
  const highest = await ask("clothes=fashion");
  t.equal(highest.code, 0, highest.stderr);
  t.match(await ask("fashion"), {
    code: ExitCode.rejected,
    stderr:
      /"fashion" is not served here; served: clothes@2, clothes@1; --model NAME=MODEL asks for it by another name/,
  });
});
