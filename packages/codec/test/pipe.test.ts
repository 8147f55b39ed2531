import { htj2k, integers, jpeg, jpeg2000, parseCodec, pipe, quantize, raw, tile } from "@sluice/codec";
import t from "tap";

t.test("a chain made of stages is the chain that its text names", async (t) => {
  const chains = [
    pipe(raw()),
    pipe(quantize({ levels: 8, clip: 3 })),
    pipe(quantize({ levels: 8, clip: 3 }), tile("hwc"), jpeg({ quality: 40 })),
    pipe(quantize({ per: "channel" }), tile({ shape: "wide" }), jpeg2000({ ratio: 12.5 })),
    pipe(integers(), tile(), htj2k({ step: 0.05, decompositions: 2 })),
    pipe(quantize({ clip: 1 / 3 + 1 })),
  ];
  for (const { text } of chains) t.equal(parseCodec(text).text, text);
  t.equal(
    chains[2]!.text,
    "quantize:levels=8,clip=3,per=tensor | tile:shape=square,layout=hwc | jpeg:quality=40",
  );
  t.equal(
    chains[5]!.text,
    "quantize:levels=32,clip=1.333333333,per=tensor",
    "nine decimals, and no more are used",
  );
});

t.test("stages that do not fit neither compile nor run", async (t) => {
  const wrong: [() => unknown, string][] = [
    // @ts-expect-error a tensor is no plane
    [() => pipe(jpeg({ quality: 40 })), "codec.jpeg"],
    // @ts-expect-error nothing stands behind bytes
    [() => pipe(jpeg({ quality: 40 }), quantize({ levels: 8 })), "codec.jpeg"],
    // @ts-expect-error symbols are no plane
    [() => pipe(quantize(), jpeg()), "codec.jpeg"],
    // @ts-expect-error a tensor is not quantized twice
    [() => pipe(quantize(), quantize()), "codec.quantize"],
    // @ts-expect-error a plane is no tensor
    [() => pipe(quantize(), tile(), raw()), "codec.raw"],
    // @ts-expect-error a plane is no payload
    [() => pipe(quantize(), tile()), "codec"],
    // @ts-expect-error a tensor is not tiled
    [() => pipe(tile(), jpeg()), "codec.tile"],
    // @ts-expect-error the third stage takes no plane
    [() => pipe(quantize(), tile(), tile(), jpeg()), "codec.tile"],
    // @ts-expect-error no stage at all
    [() => pipe(), "codec"],
  ];
  for (const [make, field] of wrong) t.throws(make, { name: "TensorError", field });
});

t.test("parameters are checked where the stage is made", async (t) => {
  const wrong: [() => unknown, string, string][] = [
    [() => quantize({ levels: 1 }), "codec.quantize.levels", 'must be an integer from 2 to 65536, got "1"'],
    [
      () => quantize({ levels: 2.5 }),
      "codec.quantize.levels",
      'must be an integer from 2 to 65536, got "2.5"',
    ],
    [
      () => quantize({ clip: Number.NaN }),
      "codec.quantize.clip",
      'must be a number from 0.5 to 100, got "NaN"',
    ],
    [() => jpeg({ quality: 101 }), "codec.jpeg.quality", 'must be an integer from 1 to 100, got "101"'],
    [
      () => htj2k({ decompositions: 6 }),
      "codec.htj2k.decompositions",
      'must be an integer from 0 to 5, got "6"',
    ],
    [() => tile({ shape: "round" as "wide" }), "codec.tile.shape", 'must be square or wide, got "round"'],
  ];
  for (const [make, field, message] of wrong) {
    t.throws(make, { name: "TensorError", field, message: `${field}: ${message}` });
  }
});

t.test("what does not suit the tensor is refused when the chain is planned, with what to do", async (t) => {
  const float = { dtype: "float32", shape: [4, 4, 4], layout: "chw" } as const;
  const wrong: [string, string][] = [
    [
      "quantize:levels=1000 | tile | jpeg",
      "codec.tile: takes at most 256 levels, it gets 1000; use quantize:levels=256 or fewer",
    ],
    ["integers", "codec.integers: takes uint8 and int8, the tensor is float32; use quantize"],
    ["quantize | tile:layout=hwc | jpeg", "codec.tile.layout: hwc, the tensor is chw; use layout=auto"],
    ["quantize:per=channel", "statistics: quantize with per=channel needs the statistics of the cut"],
    ["quantize | tile | jpeg", "codec.jpeg: its library is not loaded: await prepareCodec(codec) first"],
  ];
  for (const [text, message] of wrong) {
    t.throws(() => parseCodec(text).createEncoder(float), { name: "TensorError", message });
    t.throws(() => parseCodec(text).createDecoder(float), { name: "TensorError", message });
  }
  const flat = { dtype: "float32", shape: [4, 4], layout: "any" } as const;
  t.throws(() => parseCodec("quantize | tile:layout=chw | jpeg").createEncoder(flat), {
    message: "codec.tile.layout: chw needs three axes, the shape has 2",
  });
});

t.test("a text that the wire cannot carry is refused", async (t) => {
  const clip = 1.234567891;
  const long = () =>
    // @ts-expect-error that they cannot stand in this order is not what this is about
    pipe(...Array.from({ length: 6 }, () => quantize({ clip })));
  t.throws(long, { name: "TensorError", field: "codec", message: /characters, at most 256 are allowed/ });
});
