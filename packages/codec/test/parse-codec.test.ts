import { codecStages, defaultCodec, parseCodec } from "@sluice/codec";
import fc from "fast-check";
import t from "tap";

const seed = Number(process.env.SLUICE_SEED ?? 20261123);
t.comment(`seed ${seed}`);

t.test("canonical text names every parameter and is its own canonical text", async (t) => {
  const cases: [string, string][] = [
    ["raw", "raw"],
    ["quantize", "quantize:levels=32,clip=6,per=tensor"],
    ["quantize:levels=7", "quantize:levels=7,clip=6,per=tensor"],
    [" quantize : clip = 2.50 , levels = 007 ", "quantize:levels=7,clip=2.5,per=tensor"],
    ["quantize:per=channel,levels=65536,clip=100", "quantize:levels=65536,clip=100,per=channel"],
    ["quantize:levels=2,clip=0.5", "quantize:levels=2,clip=0.5,per=tensor"],
    [
      "quantize:levels=8,clip=3 | tile | jpeg:quality=40",
      "quantize:levels=8,clip=3,per=tensor | tile:shape=square,layout=auto | jpeg:quality=40",
    ],
    [
      "integers|tile|jpeg2000",
      "integers | tile:shape=square,layout=auto | jpeg2000:ratio=8,decompositions=1",
    ],
    [
      "integers | tile:layout=hwc,shape=wide | htj2k:step=0.10",
      "integers | tile:shape=wide,layout=hwc | htj2k:step=0.1,decompositions=1",
    ],
  ];
  for (const [text, canonical] of cases) {
    t.equal(parseCodec(text).text, canonical);
    t.equal(parseCodec(canonical).text, canonical);
  }
  t.equal(parseCodec(defaultCodec).text, defaultCodec);
});

t.test("a default fills what the text leaves open, and only that", async (t) => {
  t.equal(parseCodec("quantize", { per: "channel" }).text, "quantize:levels=32,clip=6,per=channel");
  t.equal(parseCodec("quantize:per=tensor", { per: "channel" }).text, "quantize:levels=32,clip=6,per=tensor");
  t.equal(parseCodec("raw", { per: "channel" }).text, "raw");
});

t.test("errors name what is wrong and what is allowed", async (t) => {
  const known = codecStages.join(", ");
  const refused: [string, string][] = [
    ["quantise", `codec: unknown stage "quantise", did you mean quantize? (known: ${known})`],
    ["roe", `codec: unknown stage "roe", did you mean raw? (known: ${known})`],
    ["zip", `codec: unknown stage "zip" (known: ${known})`],
    ["", `codec: unknown stage "" (known: ${known})`],
    ["constructor", `codec: unknown stage "constructor" (known: ${known})`],
    [
      "quantize:level=16",
      'codec.quantize: unknown parameter "level", did you mean levels? (known: levels, clip, per)',
    ],
    ["raw:levels=16", 'codec.raw: unknown parameter "levels" (known: none)'],
    ["raw:", 'codec.raw: "" must have the form name=value'],
    ["quantize:levels", 'codec.quantize: "levels" must have the form name=value'],
    ["quantize:levels=7,levels=8", "codec.quantize.levels: given twice"],
    ["quantize:levels=1", 'codec.quantize.levels: must be an integer from 2 to 65536, got "1"'],
    ["quantize:levels=65537", 'codec.quantize.levels: must be an integer from 2 to 65536, got "65537"'],
    ["quantize:levels=7.5", 'codec.quantize.levels: must be an integer from 2 to 65536, got "7.5"'],
    ["quantize:levels=0x10", 'codec.quantize.levels: must be an integer from 2 to 65536, got "0x10"'],
    ["quantize:levels=", 'codec.quantize.levels: must be an integer from 2 to 65536, got ""'],
    ["quantize:clip=0.49", 'codec.quantize.clip: must be a number from 0.5 to 100, got "0.49"'],
    ["quantize:clip=101", 'codec.quantize.clip: must be a number from 0.5 to 100, got "101"'],
    ["quantize:clip=NaN", 'codec.quantize.clip: must be a number from 0.5 to 100, got "NaN"'],
    ["quantize:per=row", 'codec.quantize.per: must be tensor or channel, got "row"'],
    [
      "quantize|raw",
      "codec.raw: takes tensor and cannot stand behind quantize (it gives symbols); there goes predict, tile or entropy, or nothing",
    ],
    [
      "tile | jpeg",
      "codec.tile: takes symbols and cannot stand behind the tensor; there goes transform, raw, quantize or integers",
    ],
    [
      "quantize | tile | jpeg | raw",
      "codec.raw: takes tensor and cannot stand behind jpeg (it gives bytes); there goes nothing",
    ],
    ["quantize | tile", "codec: the chain ends with tile, which gives plane; add jpeg, jpeg2000 or htj2k"],
    ["quantize || jpeg", `codec: unknown stage "" (known: ${known})`],
    ["quantize | tlie", `codec: unknown stage "tlie", did you mean tile? (known: ${known})`],
    ["quantize|tile|jpeg:quality=0", 'codec.jpeg.quality: must be an integer from 1 to 100, got "0"'],
    ["quantize|tile|jpeg:ratio=8", 'codec.jpeg: unknown parameter "ratio" (known: quality)'],
    ["quantize|tile:shape=round|jpeg", 'codec.tile.shape: must be square or wide, got "round"'],
    ["quantize|tile:layout=hcw|jpeg", 'codec.tile.layout: must be one of auto, chw, hwc, got "hcw"'],
    ["quantize|tile|jpeg2000:ratio=0.9", 'codec.jpeg2000.ratio: must be a number from 1 to 1000, got "0.9"'],
    ["quantize|tile|htj2k:step=0", 'codec.htj2k.step: must be a number from 0.001 to 0.5, got "0"'],
    ["r".repeat(257), "codec: 257 characters, at most 256 are allowed"],
  ];
  for (const [text, message] of refused) {
    t.throws(() => parseCodec(text), { name: "TensorError", message }, text.slice(0, 40));
  }
});

t.test("any text is a codec or a TensorError", async () => {
  const piece = fc.oneof(
    fc.constantFrom(
      "|",
      ...codecStages,
      ":",
      ",",
      "=",
      "levels",
      "clip",
      "per",
      "channel",
      "16",
      "1e9",
      "-1",
      "3.",
    ),
    fc.string({ maxLength: 4 }),
  );
  const text = fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join(""));
  fc.assert(
    fc.property(text, (text) => {
      try {
        const codec = parseCodec(text);
        return parseCodec(codec.text).text === codec.text;
      } catch (error) {
        return error instanceof Error && error.name === "TensorError";
      }
    }),
    { seed, numRuns: 2000 },
  );
});

t.test("a bad spec is refused before anything is made of it", async (t) => {
  const spec = { dtype: "float32", shape: [2 ** 13, 2 ** 12], layout: "any" } as const;
  for (const text of ["raw", "quantize"]) {
    t.throws(() => parseCodec(text).createEncoder(spec), { name: "TensorError", field: "shape" });
    t.throws(() => parseCodec(text).createDecoder(spec), { name: "TensorError", field: "shape" });
  }
});
