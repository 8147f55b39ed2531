import { sluice } from "@sluice/proto";
import t from "tap";
import { maxControlMessageBytes } from "#src/limits.js";
import { encodeResult } from "#src/result-message.js";
import { createIntegers } from "./integers.js";

type Result = sluice.v1.Result.$Properties;

const generated = (result: Result) => sluice.v1.ControlMessage.encode({ result }).finish();

t.test("byte for byte what the generated code writes", async (t) => {
  const seed = 5;
  t.comment(`seed ${seed}`);
  const integers = createIntegers(seed);
  const isThere = () => integers.between(0, 3) > 0;
  const some = <T>(key: string, value: () => T) => (isThere() ? { [key]: value() } : {});
  const number = (key: string) => some(key, () => (isThere() ? integers.uint32() : 0));
  let unlike = 0;
  for (let i = 0; i < 10_000; i++) {
    const result: Result = {
      ...{ ...number("stream"), ...number("frame"), ...some("outcome", () => integers.between(0, 4)) },
      ...some("stages", () => ({
        ...{ ...number("reassembly"), ...number("decode"), ...number("conceal") },
        ...{ ...number("queue"), ...number("inference") },
      })),
      ...{ ...number("concealedElements"), ...number("elements"), ...number("slicesReceived") },
      ...{ ...number("slicesRecovered"), ...number("code"), ...number("payloadBytes") },
      ...some("payload", () => integers.bytes(integers.between(0, 300))),
    };
    if (Buffer.compare(encodeResult(result), generated(result)) !== 0) unlike++;
  }
  t.equal(unlike, 0);
});

t.test("a field that the proto gains has to be written by hand too", async (t) => {
  t.strictSame(Object.keys(sluice.v1.Result.prototype), [
    ...["stream", "frame", "outcome", "stages", "concealedElements", "elements", "slicesReceived"],
    ...["slicesRecovered", "code", "payload", "payloadBytes"],
  ]);
  const stages = ["reassembly", "decode", "conceal", "queue", "inference"];
  t.strictSame(Object.keys(sluice.v1.StageTimes.prototype), stages);
});

t.test("no message is longer than the limit", async (t) => {
  const overhead = generated({ payload: new Uint8Array(30_000) }).length - 30_000;
  const fits = { payload: new Uint8Array(maxControlMessageBytes - overhead).fill(7) };
  t.strictSame(encodeResult(fits), new Uint8Array(generated(fits)));
  const tooLong = { payload: new Uint8Array(maxControlMessageBytes - overhead + 1) };
  t.throws(() => encodeResult(tooLong), RangeError);
});
