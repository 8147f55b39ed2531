// The specification against the code: citations, registry, limits, worked examples and the table of requirements.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import t from "tap";
import { codecStages, maxInterleavedElements, parseCodec } from "../../packages/codec/dist/index.js";
import { createControlDecoder, decodeControl } from "../../packages/protocol/dist/control-message.js";
import { decodeDatagram } from "../../packages/protocol/dist/datagram.js";
import { ErrorCode, mayTryAgain } from "../../packages/protocol/dist/error-code.js";
import * as limits from "../../packages/protocol/dist/limits.js";
import { createResultDecoder } from "../../packages/protocol/dist/result-framing.js";
import { createTensorDecoder } from "../../packages/protocol/dist/tensor-framing.js";
import { createTensor, maxBundleTensors } from "../../packages/tensor/dist/index.js";
import { checkRequirements } from "../check-requirements.mjs";
import { staleVectors } from "../make-vectors.mjs";

const root = join(dirname(fileURLToPath(import.meta.url)), "../..");
const read = (path) => readFileSync(join(root, path), "utf8");
const spec = read("spec/sluice.md");
const registry = read("spec/registry.md");

/** Numbers of the headings: `## 3 Sending`, `### 3.1 Delivery modes`. */
const sections = [...spec.matchAll(/^##+ (\d+(?:\.\d+)?) /gm)].map(([, number]) => number);

/** The text from a heading to the next one of its rank or a higher one. */
function sectionText(text, heading) {
  const start = text.search(new RegExp(`^##+ ${heading.replaceAll(".", "\\.")}(?= |$)`, "m"));
  if (start < 0) throw new Error(`no section ${heading}`);
  const rank = /^#+/.exec(text.slice(start))[0].length;
  const body = text.indexOf("\n", start);
  const length = text.slice(body).search(new RegExp(`^#{1,${rank}} `, "m"));
  return length < 0 ? text.slice(body) : text.slice(body, body + length);
}

/** Cells of the rows of the first table in a text, without its head; backticks are taken off. */
function tableRows(text) {
  const lines = text.split("\n");
  const first = lines.findIndex((line) => line.startsWith("|"));
  const rows = lines.slice(first);
  const end = rows.findIndex((line) => !line.startsWith("|"));
  return rows.slice(2, end < 0 ? undefined : end).map((line) =>
    line
      .slice(1, line.lastIndexOf("|"))
      .split("|")
      .map((cell) => cell.trim().replace(/^`([^`]*)`$/, "$1")),
  );
}

/** Source files that may cite the specification. */
function citingFiles() {
  const below = (directory, pattern) =>
    readdirSync(join(root, directory), { recursive: true })
      .map((path) => join(directory, path))
      .filter((path) => pattern.test(path) && !path.includes("node_modules"));
  const packages = readdirSync(join(root, "packages")).filter((name) =>
    existsSync(join(root, "packages", name, "src")),
  );
  return [
    ...packages.flatMap((name) => below(`packages/${name}/src`, /\.ts$/)),
    ...below("proto/sluice", /\.proto$/),
  ];
}

t.test("section numbers are in order and occur once", async (t) => {
  const sorted = [...sections].sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
  t.same(sections, sorted);
  t.equal(new Set(sections).size, sections.length);
});

t.test("every citation in the code points to a section", async (t) => {
  const cited = citingFiles().flatMap((path) =>
    [...read(path).matchAll(/\bspec (\d+(?:\.\d+)*)/g)].map(([, number]) => ({ path, number })),
  );
  t.ok(cited.length > 25, `${cited.length} citations`);
  t.same(
    cited.filter(({ number }) => !sections.includes(number)),
    [],
  );
});

t.test("every reference inside the specification points to a section", async (t) => {
  const inText = [...spec.matchAll(/\bsections? (\d+(?:\.\d+)?)/g)].map(([, number]) => number);
  const inBrackets = [...`${spec}${registry}`.matchAll(/\((\d\.\d(?:, \d\.\d)*)\)/g)].flatMap(([, list]) =>
    list.split(", "),
  );
  t.ok(inBrackets.length > 20);
  t.same(
    [...inText, ...inBrackets].filter((number) => !sections.includes(number)),
    [],
  );
});

t.test("error codes: the registry is the code's table", async (t) => {
  const rows = tableRows(sectionText(registry, "Error codes"));
  t.same(
    rows.map(([code, name]) => [name, Number(code)]),
    Object.entries(ErrorCode),
  );
  t.same(
    rows.filter(([, , , again]) => again !== "").map(([code, , , again]) => [code, again]),
    rows.filter(([code]) => code < 64).map(([code]) => [code, mayTryAgain(Number(code)) ? "yes" : "no"]),
    "again",
  );
});

t.test(
  "codec stages: the registry is the code's, with parameters, their order and their defaults",
  async (t) => {
    const texts = new Map();
    for (const [name, , parameter, , value] of tableRows(sectionText(registry, "Codec stages"))) {
      const stage = name || [...texts.keys()].at(-1);
      texts.set(stage, [...(texts.get(stage) ?? []), ...(parameter ? [`${parameter}=${value}`] : [])]);
    }
    t.same([...texts.keys()].sort(), [...codecStages].sort());
    const chains = [
      ...["transform | raw", "sluice", "integers | predict | entropy"],
      ...["jpeg", "jpeg2000", "htj2k"].map((picture) => `quantize | tile | ${picture}`),
    ];
    const canonical = chains.flatMap((chain) => parseCodec(chain).text.split(" | "));
    for (const [stage, parameters] of texts) {
      const text = parameters.length === 0 ? stage : `${stage}:${parameters.join(",")}`;
      t.ok(canonical.includes(text), text);
    }
  },
);

t.test("the specification names codes of the registry, and every one that is in use", async (t) => {
  const consequences = tableRows(sectionText(spec, "8 Errors and closing")).map(
    ([, consequence]) => consequence,
  );
  const named = consequences.flatMap((text) => [...text.matchAll(/`([a-z]\w+)`/g)].map(([, name]) => name));
  t.ok(named.length > 15);
  t.same(
    named.filter((name) => !(name in ErrorCode)),
    [],
  );
  const unused = tableRows(sectionText(registry, "Error codes"))
    .filter(([, , where]) => where === "nowhere yet")
    .map(([, name]) => name);
  t.same(
    Object.keys(ErrorCode).filter((name) => !spec.includes(`\`${name}\``)),
    unused,
  );
});

t.test("limits: section 9 is the code's list", async (t) => {
  const rows = tableRows(sectionText(spec, "9"));
  const { defaultLimits, ...single } = limits;
  const expected = {
    ...single,
    ...{ maxInterleavedElements, maxBundleTensors },
    ...Object.fromEntries(
      Object.entries(defaultLimits).map(([name, value]) => [`defaultLimits.${name}`, value]),
    ),
  };
  t.same(
    Object.fromEntries(rows.map(([name, value]) => [name, Number(value.replaceAll(",", ""))])),
    expected,
  );
});

t.test("control messages and enumerations: the registry is the .proto files", async (t) => {
  const proto = `${read("proto/sluice/v1/control.proto")}${read("proto/sluice/v1/tensor.proto")}`;
  const oneof = /oneof message \{([^}]*)\}/.exec(proto)[1];
  t.same(
    tableRows(sectionText(registry, "Control messages")).map(([number, name, message]) => [
      message,
      name,
      number,
    ]),
    [...oneof.matchAll(/(\w+) (\w+) = (\d+);/g)].map(([, ...row]) => row),
  );
  const enums = { Dtypes: "Dtype", Layouts: "Layout", "Delivery modes": "DeliveryMode", Outcomes: "Outcome" };
  for (const [heading, name] of Object.entries(enums)) {
    const body = new RegExp(`enum ${name} \\{([^}]*)\\}`).exec(proto)[1];
    t.same(
      tableRows(sectionText(registry, heading)).map(([number, value]) => [value, number]),
      [...body.matchAll(/^\s*(\w+) = (\d+);/gm)].map(([, ...row]) => row),
      heading,
    );
  }
});

t.test("messages may stand in datagrams where the registry says so", async (t) => {
  const rows = tableRows(sectionText(registry, "Control messages"));
  for (const [number, name, , , lossy] of rows) {
    // An empty message of that field, as an item.
    const item = Uint8Array.of(0, 2, Number(number) * 8 + 2, 0);
    if (lossy === "yes") t.equal(decodeDatagram(item).controls.length, 1, name);
    else t.throws(() => decodeDatagram(item), { code: ErrorCode.protocolViolation }, name);
  }
});

/** The worked examples: their bytes and what the specification says they mean. */
const examples = new Map(
  [...spec.matchAll(/<!-- example: (\w+) -->\n```hex\n([^`]*)```\n```json\n([^`]*)```/g)].map(
    ([, name, hex, json]) => [
      name,
      {
        bytes: Uint8Array.from(Buffer.from(hex.replace(/;.*$/gm, "").replaceAll(/\s/g, ""), "hex").values()),
        meaning: JSON.parse(json),
      },
    ],
  ),
);

/** Decoded things as JSON would show them: bytes in hex, what is absent or a default left out where `wanted` has none. */
function shown(value, wanted) {
  if (value instanceof Uint8Array) return Buffer.from(value).toString("hex");
  if (Array.isArray(value)) return value.map((entry, i) => shown(entry, wanted?.[i]));
  if (typeof value?.toNumber === "function") return value.toNumber();
  if (typeof value !== "object" || value === null) return value;
  const isEmpty = (entry) =>
    entry == null || entry === 0 || entry === "" || (typeof entry === "object" && entry.length === 0);
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name, entry]) => (wanted && name in wanted) || !isEmpty(entry))
      .map(([name, entry]) => [name, shown(entry, wanted?.[name])]),
  );
}

const decoders = {
  hello: (bytes) => createControlDecoder()(bytes),
  open: (bytes) => createControlDecoder()(bytes),
  datagram: (bytes) => decodeDatagram(bytes),
  repair: (bytes) => decodeDatagram(bytes),
  stream: (bytes) => createTensorDecoder(1_000).decode(bytes),
  large(bytes) {
    const decoder = createResultDecoder(() => {});
    decoder.decode(bytes);
    const { payload, ...result } = decoder.finish();
    return { result: { ...result, payload: new Uint8Array(0) }, payload };
  },
  feedback: decodeControl,
  result: decodeControl,
};

for (const [name, decode] of Object.entries(decoders)) {
  t.test(`the example ${name} means what the specification says`, async (t) => {
    const { bytes, meaning } = examples.get(name);
    t.ok(bytes.length > 0);
    t.strictSame(shown(decode(bytes), meaning), meaning);
  });
}

const arrays = { float32: Float32Array, uint8: Uint8Array };

for (const name of ["quantize", "entropy"]) {
  t.test(`the example ${name} encodes and decodes as the specification says`, async (t) => {
    const { bytes, meaning } = examples.get(name);
    const { codec, dtype, shape, values } = meaning;
    const tensorSpec = { dtype, shape, layout: "any" };
    const tensor = createTensor(dtype, shape, arrays[dtype].from(values), "any");
    const { slices } = parseCodec(codec).createEncoder(tensorSpec).encode(tensor, 1_000);
    t.equal(slices.length, 1);
    t.strictSame([...slices[0].payload], [...bytes]);
    const partial = parseCodec(codec).createDecoder(tensorSpec).begin();
    t.equal(partial.add(0, 1, bytes), undefined);
    t.strictSame([...partial.finish().tensor.data], values);
  });
}

t.test("every example is checked", async (t) => {
  t.same([...examples.keys()].sort(), [...Object.keys(decoders), "quantize", "entropy"].sort());
  t.equal(spec.match(/^```hex/gm).length, examples.size);
});

t.test("every MUST and SHOULD has a number of its section and a row in the table", async (t) => {
  const table = tableRows(sectionText(spec, "12"));
  const body = spec.slice(0, spec.indexOf("## 12 "));
  let section = "";
  const numbers = [];
  for (const line of body.split("\n")) {
    section = /^##+ (\d+(?:\.\d+)?) /.exec(line)?.[1] ?? section;
    for (const [, id, of] of line.matchAll(/\[(sluice\/([\d.]+)\/\d+)\]/g)) {
      t.equal(of, section, id);
      numbers.push(id);
    }
  }
  t.equal(new Set(numbers).size, numbers.length, "each number once");
  t.same(
    table.map(([id]) => id),
    numbers,
  );
  const paragraphs = body.slice(body.indexOf("### 1.2")).split(/\n\n/);
  t.same(
    paragraphs.filter((text) => /\b(MUST|SHOULD)\b/.test(text) && !text.includes("[sluice/")),
    [],
  );
});

t.test("every MUST and SHOULD is shown by a vector or a test", async (t) => {
  t.same(await checkRequirements(spec), []);
});

t.test("the vectors are what their sources make", async (t) => {
  t.same(await staleVectors(), []);
});

t.test("numbers of the registry keep their meaning", async (t) => {
  const assigned = JSON.parse(read("spec/vectors/registry.json"));
  for (const [heading, meanings] of Object.entries(assigned.numbers)) {
    const rows = new Map(tableRows(sectionText(registry, heading)).map(([number, name]) => [number, name]));
    for (const [number, name] of Object.entries(meanings)) t.equal(rows.get(number), name, heading);
    t.same([...rows.keys()].sort(), Object.keys(meanings).sort(), `${heading}: new numbers are listed`);
  }
});
