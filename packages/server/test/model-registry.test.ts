import { ErrorCode } from "@sluice/protocol";
import t from "tap";
import { leastIdleMs } from "#src/half-pool.js";
import { createModelRegistry, type ServableModel } from "#src/model-registry.js";
import { type StreamRequest, serveEach } from "#src/served-model.js";

/** Models that note what was done with them. */
function createModels(references: readonly string[], failures: Record<string, number> = {}) {
  const log: string[] = [];
  const models = references.map((reference): ServableModel => {
    const [name = "", version = ""] = reference.split("@");
    return {
      ...{ name, version },
      async load(split) {
        log.push(`load ${reference} ${split}`);
        failures[reference] = (failures[reference] ?? 0) - 1;
        if (failures[reference]! >= 0) throw new Error("out of memory");
        const served = serveEach(async () => reference);
        return { serve: () => served, close: async () => void log.push(`close ${reference} ${split}`) };
      },
    };
  });
  return { models, log };
}

const request = (model: string, split = "s"): StreamRequest => ({
  ...{ model, split, content: "model", spec: { dtype: "uint8", shape: [1], layout: "any" } },
});

t.test("a name alone is its highest version, by numbers", async (t) => {
  const { models } = createModels(["a@9", "a@10", "b", "a@2"]);
  const registry = createModelRegistry(models);
  t.same([...registry.models].sort(), ["a@10", "a@2", "a@9", "b"]);
  for (const [asked, served] of [
    ["a", "a@10"],
    ["a@9", "a@9"],
    ["b", "b"],
  ] as const) {
    t.equal((await registry.open(request(asked))).model, served, asked);
  }
  for (const unknown of ["a@3", "c", "", "b@1"]) {
    await t.rejects(registry.open(request(unknown)), {
      ...{ name: "StreamRefusal", code: ErrorCode.unknownModel, message: /served: .*a@10/ },
    });
  }
});

t.test("a cut is loaded once, however many ask for it at once, and closed in the end", async (t) => {
  const { models, log } = createModels(["a", "b"]);
  const registry = createModelRegistry(models);
  await registry.prepare("a", "s");
  const streams = await Promise.all([1, 2, 3].map(() => registry.open(request("a"))));
  t.equal(new Set(streams.map(({ network }) => network)).size, 1, "they share a network");
  await registry.open(request("a", "other"));
  await registry.close();
  t.same(log, ["load a s", "load a other", "close a s", "close a other"]);
});

t.test("networks that are loaded are bounded over all models", async (t) => {
  const { models } = createModels(["a", "b"]);
  const registry = createModelRegistry(models, { maxLoaded: 2 });
  await registry.open(request("a"));
  await registry.open(request("b"));
  await t.rejects(registry.open(request("b", "other")), { code: ErrorCode.overloaded });
  t.ok(await registry.open(request("b")), "what is there is served");
});

t.test("a half that no stream uses makes room, the one first that was not used for longest", async (t) => {
  const { models, log } = createModels(["a"]);
  let nowMs = 0;
  const registry = createModelRegistry(models, { maxLoaded: 2, now: () => nowMs });
  const first = await registry.open(request("a", "1"));
  const again = await registry.open(request("a", "1"));
  const second = await registry.open(request("a", "2"));
  first.release?.();
  first.release?.();
  await t.rejects(registry.open(request("a", "3")), { code: ErrorCode.overloaded }, "both are in use");
  second.release?.();
  again.release?.();
  nowMs = leastIdleMs - 1;
  await t.rejects(registry.open(request("a", "3")), {
    message: /^split: 2 cuts are in use or were until a moment ago/,
  });
  nowMs = leastIdleMs;
  t.equal((await registry.open(request("a", "3"))).model, "a");
  t.same(log, ["load a 1", "load a 2", "close a 2", "load a 3"]);
  t.ok(registry.isFull);
  t.same(
    registry.loaded().map(({ split }) => split),
    ["1", "3"],
  );
  t.ok(await registry.open(request("a", "1")), "it has stayed");
  await registry.close();
  t.same(log.slice(4), ["close a 1", "close a 3"]);
});

t.test("what is refused or was only prepared is not in use", async (t) => {
  const { models, log } = createModels(["a"]);
  const refusing = models.map((model) => ({
    ...model,
    load: async (split: string) => ({
      ...(await model.load(split)),
      serve: () => {
        throw new Error("shape");
      },
    }),
  }));
  let nowMs = 0;
  const registry = createModelRegistry(refusing, { maxLoaded: 1, now: () => nowMs });
  t.notOk(registry.isFull);
  await registry.prepare("a", "1");
  await t.rejects(registry.open(request("a", "1")), /shape/);
  nowMs = leastIdleMs;
  await registry.prepare("a", "2");
  t.same(log, ["load a 1", "close a 1", "load a 2"]);
});

t.test("a cut that could not be loaded may be asked for again", async (t) => {
  const { models } = createModels(["a"], { a: 1 });
  const registry = createModelRegistry(models, { maxLoaded: 1 });
  await t.rejects(registry.open(request("a")), /out of memory/);
  t.equal((await registry.open(request("a"))).model, "a");
});

t.test("two models under one name and version are a mistake, and told how to be kept apart", (t) => {
  t.throws(() => createModelRegistry(createModels(["a@1", "a@1"]).models), {
    message: '"a@1" is given twice; another name or version keeps them apart, as in NAME@2=FILE',
  } as Error);
  t.end();
});
