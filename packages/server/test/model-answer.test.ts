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
