import { createRandom } from "@sluice/simnet";
import t from "tap";
import { PARTS, SHORT } from "./parts.js";

const seed = Number(process.env.SLUICE_SEED ?? 20_261_124);
t.comment(`seed ${seed} (SLUICE_SEED); campaign.js runs the full size`);

for (const part of PARTS) {
  t.test(`${part.name}: no crash, nothing uncaught, nothing left`, async (t) => {
    const { figures, failures } = await part.run(createRandom(seed), SHORT);
    t.comment(JSON.stringify(figures));
    t.strictSame(failures, []);
  });
}
