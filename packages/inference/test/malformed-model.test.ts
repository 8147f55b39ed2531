import {
  analyseDataFlow,
  findCuts,
  ModelError,
  parseModel,
  splitGraph,
  withOutputs,
} from "@sluice/inference/onnx";
import fc from "fast-check";
import t from "tap";
import { conditionalModelBytes, tinyModelBytes } from "./tiny-model.js";

const seed = 20261123;
const bases = [tinyModelBytes(), conditionalModelBytes(true), conditionalModelBytes(false)];

/** Everything that is done with a model's bytes before a runtime sees them. */
function exercise(bytes: Uint8Array): "model" | ModelError["kind"] {
  try {
    const model = parseModel(bytes);
    const { cuts } = findCuts(analyseDataFlow(model.graph));
    withOutputs(
      model,
      cuts.map(({ name }) => name),
    );
    for (const { name } of cuts.slice(0, 3))
      splitGraph(model, name, new Map([[name, { elementType: 1, shape: ["N", 4, 8, 8] }]]));
    splitGraph(model, "add_1", new Map([["add_1", { elementType: 1, shape: null }]]));
    return "model";
  } catch (error) {
    if (!(error instanceof ModelError)) throw error;
    if (error.message === "") throw new Error("an error without a message");
    return error.kind;
  }
}

const edits = fc.array(
  fc.record({
    at: fc.nat(1 << 20),
    kind: fc.constantFrom("set", "flip", "insert", "remove", "truncate"),
    value: fc.nat(255),
  }),
  { minLength: 1, maxLength: 8 },
);

t.test("damaged models give a ModelError or a model, never anything else", (t) => {
  t.comment(`seed ${seed}`);
  const outcomes = new Map<string, number>();
  fc.assert(
    fc.property(fc.constantFrom(...bases), edits, (base, list) => {
      let bytes = [...base];
      for (const { at, kind, value } of list) {
        const i = at % Math.max(1, bytes.length);
        if (kind === "set") bytes[i] = value;
        else if (kind === "flip") bytes[i] = (bytes[i] ?? 0) ^ (1 << (value % 8));
        else if (kind === "insert") bytes.splice(i, 0, value);
        else if (kind === "remove") bytes.splice(i, 1 + (value % 16));
        else if (value < 32) bytes = bytes.slice(0, i);
      }
      const outcome = exercise(Uint8Array.from(bytes));
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    }),
    { seed, numRuns: 3000 },
  );
  t.comment(JSON.stringify([...outcomes]));
  t.ok((outcomes.get("not-onnx") ?? 0) > 300, "many are refused");
  t.ok((outcomes.get("model") ?? 0) > 10, "some are not: values were changed, not their framing");
  t.end();
});

t.test("bytes without any sense give a ModelError", (t) => {
  t.comment(`seed ${seed}`);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => exercise(bytes) !== "model"),
    { seed, numRuns: 1000 },
  );
  t.pass("1,000 cases");
  t.end();
});

t.test("bombs are refused before memory is taken", (t) => {
  const nest = (depth: number): number[] => {
    // node { attribute { g { … } } }
    let inner: number[] = [];
    const wrap = (field: number, body: number[]) => {
      const length: number[] = [];
      for (let rest = body.length; ; rest >>>= 7) {
        length.push(rest > 127 ? (rest & 127) | 128 : rest);
        if (rest <= 127) break;
      }
      return [(field << 3) | 2, ...length, ...body];
    };
    for (let i = 0; i < depth; i++) inner = wrap(1, wrap(5, wrap(6, inner)));
    return wrap(7, [...inner, ...wrap(12, [10, 1, 65])]);
  };
  t.equal(exercise(Uint8Array.from(nest(500))), "not-onnx", "deep nesting");
  t.equal(
    exercise(new Uint8Array(3 << 20).fill(8).map((x, i) => (i % 2 ? 1 : x))),
    "not-onnx",
    "many fields",
  );
  t.equal(exercise(Uint8Array.of(58, 255, 255, 255, 255, 15)), "not-onnx", "a length of 4 GiB");
  t.equal(exercise(new Uint8Array(0)), "not-onnx", "nothing");
  t.end();
});
