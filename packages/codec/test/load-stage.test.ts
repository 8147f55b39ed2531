import t from "tap";
import { loadableStages, loadStage } from "#codec/load-stage.js";
import { stageRegistry } from "#codec/stage-registry.js";

t.test("every stage of the registry can be loaded by its name, and is the same", async (t) => {
  t.strictSame([...loadableStages].sort(), stageRegistry.map(({ name }) => name).sort());
  for (const definition of stageRegistry)
    t.equal(await loadStage(definition.name), definition, definition.name);
});

t.test("another name is refused with what there is", async (t) => {
  await t.rejects(loadStage("quantise"), { message: /quantise.*quantize/ });
  await t.rejects(loadStage("toString"), { message: /toString/ });
});
