import { ErrorCode } from "@sluice/protocol";
import { createTensor } from "@sluice/tensor";
import { unpack } from "msgpackr";
import t from "tap";
import { answerOutputs, checkOutputsFit, encodeAnswer } from "#src/model-answer.js";

const tensor = createTensor("float32", [2], Float32Array.of(1, -2));
const frame = {
  ...{ tensor, context: { missing: new Uint8Array(2), missingCount: 0 } },
  ...{ frameNumber: 7, inferenceMs: 2.34567 },
};

t.test("outputs are carried as little-endian bytes, in JSON as base64", async (t) => {
  const answer = answerOutputs(["logits"], [tensor], frame);
  const data = Uint8Array.of(0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0);
  const form = { name: "logits", dtype: "float32", shape: [2] };
  t.same(unpack(encodeAnswer(answer, "messagepack")), {
    ...{ frameNumber: 7, inferenceTime: 2.35, outputs: [{ ...form, data: Buffer.from(data) }] },
  });
  t.equal(
    new TextDecoder().decode(encodeAnswer(answer, "json")),
    '{"frameNumber":7,"inferenceTime":2.35,"outputs":[{"name":"logits","dtype":"float32","shape":[2],"data":"AACAPwAAAMA="}]}',
  );
});

t.test("outputs of int64 go as int32 where all their numbers fit", async (t) => {
  const answered = (...values: bigint[]) => {
    const data = BigInt64Array.from(values);
    const output = { dtype: "int64", shape: [values.length], layout: "any", data } as const;
    return answerOutputs(["ids"], [output], frame).outputs![0]!;
  };
  const [least, most] = [-(2n ** 31n), 2n ** 31n - 1n];
  t.match(answered(least, most), {
    dtype: "int32",
    data: new Uint8Array(Int32Array.of(Number(least), Number(most)).buffer),
  });
  for (const wide of [least - 1n, most + 1n, 2n ** 32n, 2n ** 53n + 1n]) {
    const data = new Uint8Array(BigInt64Array.of(1n, wide).buffer);
    t.match(answered(1n, wide), { dtype: "int64", shape: [2], data }, `${wide}`);
  }
});

t.test("outputs that no result could hold are refused before the first frame", async (t) => {
  const output = (elements: number) => ({ name: "o", dtype: "float32", shape: [elements] }) as const;
  t.doesNotThrow(() => checkOutputsFit([output(12_000)]));
  t.throws(() => checkOutputsFit([output(12_200)]), { name: "StreamRefusal", code: ErrorCode.specMismatch });
  t.throws(() => checkOutputsFit([output(7_000), output(7_000)]), /result_content/);
  const largest = createTensor("float32", [12_000]);
  for (const format of ["messagepack", "json"] as const) {
    t.ok(encodeAnswer(answerOutputs(["o"], [largest], frame), format).length <= 65_000, format);
  }
});
