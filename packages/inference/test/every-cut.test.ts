/** Every legal cut of the embedded model. */
import { loadModel } from "@sluice/inference";
import t from "tap";
import { differencesAtCuts } from "./every-cut.js";

t.test("the halves equal the whole at every legal cut of the embedded model", async (t) => {
  const { network } = await loadModel("fashion");
  const exact = await differencesAtCuts(network, "disabled");
  for (const { cut, difference } of exact) t.equal(difference, 0, `${cut}: bit by bit`);
  for (const { cut, difference } of await differencesAtCuts(network, "all")) {
    t.ok(difference <= 1e-5, `${cut}: within 1e-5 (${difference})`);
  }
  t.ok(exact.length > 10, `${exact.length} cuts`);
});
