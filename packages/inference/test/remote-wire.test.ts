/** The wire of the Open Inference Protocol against the examples that its documents give. */
import t from "tap";
import { encodeInferRequest } from "#src/remote/infer-request.js";
import { decodeInferResponse } from "#src/remote/infer-response.js";
import { readModelMetadata } from "#src/remote/model-metadata.js";
import { modelPath, parseRemoteUrl } from "#src/remote/model-url.js";
import { planRetry } from "#src/remote/retry-policy.js";

const utf8 = new TextEncoder();

/** A body as servers send it: JSON, then tensors. */
function bodyOf(json: unknown, ...tensors: Uint8Array[]): { length: string; body: Uint8Array } {
  const header = utf8.encode(JSON.stringify(json, null, 2));
  const body = new Uint8Array(tensors.reduce((sum, { length }) => sum + length, header.length));
  body.set(header);
  let offset = header.length;
  for (const tensor of tensors) {
    body.set(tensor, offset);
    offset += tensor.length;
  }
  return { length: String(header.length), body };
}

t.test("a request with tensors as bytes has the form of the extension's example", (t) => {
  const inputs = {
    input0: { type: "int32", dims: [2, 2], data: Int32Array.of(1, 2, 3, 4) },
    input1: { type: "bool", dims: [3], data: Uint8Array.of(1, 0, 1) },
  };
  const { headers, body } = encodeInferRequest(inputs, ["output0"], true);
  t.equal(headers["content-type"], "application/octet-stream");
  const length = Number(headers["inference-header-content-length"]);
  t.same(JSON.parse(new TextDecoder().decode(body.subarray(0, length))), {
    inputs: [
      { name: "input0", shape: [2, 2], datatype: "INT32", parameters: { binary_data_size: 16 } },
      { name: "input1", shape: [3], datatype: "BOOL", parameters: { binary_data_size: 3 } },
    ],
    outputs: [{ name: "output0", parameters: { binary_data: true } }],
  });
  t.equal(body.length, length + 19, "as many bytes of tensors as the example has");
  t.same(
    [...body.subarray(length)],
    [1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0, 1, 0, 1],
    "little-endian",
  );
  t.end();
});

t.test("a request in JSON has the form of the specification's example", (t) => {
  const inputs = {
    input0: { type: "int64", dims: [2, 2], data: BigInt64Array.of(1n, 2n, 3n, 4n) },
    input1: { type: "bool", dims: [3], data: Uint8Array.of(1, 0, 1) },
  };
  const { headers, body } = encodeInferRequest(inputs, ["output0"], false);
  t.same(headers, { "content-type": "application/json" });
  t.same(JSON.parse(new TextDecoder().decode(body)), {
    inputs: [
      { name: "input0", shape: [2, 2], datatype: "INT64", data: [1, 2, 3, 4] },
      { name: "input1", shape: [3], datatype: "BOOL", data: [true, false, true] },
    ],
    outputs: [{ name: "output0" }],
  });
  const half = { input: { type: "float16", dims: [1], data: Uint16Array.of(0x3c00) } };
  t.throws(() => encodeInferRequest(half, ["output0"], false), /FP16 needs the extension binary_tensor_data/);
  t.end();
});

t.test("the responses of the examples are read", (t) => {
  const values = Float32Array.of(1.0, 1.1, 2.0, 2.1, 3.0, 3.1);
  const described = { name: "output0", shape: [3, 2], datatype: "FP32" };
  const { length, body } = bodyOf(
    { outputs: [{ ...described, parameters: { binary_data_size: 24 } }] },
    new Uint8Array(values.buffer),
  );
  const expected = [{ type: "float32", dims: [3, 2], data: values }];
  t.same(decodeInferResponse(length, body, ["output0"]), expected);
  const flat = bodyOf({ id: "42", outputs: [{ ...described, data: [...values] }] }).body;
  t.same(decodeInferResponse(undefined, flat, ["output0"]), expected);
  const nested = {
    ...described,
    data: [
      [1.0, 1.1],
      [2.0, 2.1],
      [3.0, 3.1],
    ],
  };
  t.same(decodeInferResponse(undefined, bodyOf({ outputs: [nested] }).body, ["output0"]), expected);
  t.end();
});

t.test("an output may hold nothing, as where a detector has found nothing", (t) => {
  const described = { name: "boxes", shape: [1, 0, 4], datatype: "FP32" };
  const expected = [{ type: "float32", dims: [1, 0, 4], data: new Float32Array(0) }];
  const asBytes = bodyOf({ outputs: [{ ...described, parameters: { binary_data_size: 0 } }] });
  t.same(decodeInferResponse(asBytes.length, asBytes.body, ["boxes"]), expected);
  for (const data of [[], [[]]]) {
    t.same(
      decodeInferResponse(undefined, bodyOf({ outputs: [{ ...described, data }] }).body, ["boxes"]),
      expected,
    );
  }
  t.end();
});

t.test("responses that are wrong are refused with what is wrong", (t) => {
  const output = { name: "o", shape: [2], datatype: "FP32", parameters: { binary_data_size: 8 } };
  const eight = new Uint8Array(8);
  const cases: [unknown, Uint8Array[], RegExp, string?][] = [
    [{ outputs: [output] }, [new Uint8Array(4)], /binary_data_size is 8, the body has 4 bytes left/],
    [{ outputs: [output] }, [new Uint8Array(12)], /4 bytes are left over/],
    [{ outputs: [{ ...output, shape: [3] }] }, [eight], /its shape wants 12/],
    [{ outputs: [{ ...output, shape: [2 ** 40] }] }, [eight], /1099511627776 elements/],
    [{ outputs: [{ ...output, shape: [-1] }] }, [eight], /shape \[-1\]/],
    [{ outputs: [{ ...output, datatype: "BYTES" }] }, [eight], /data type BYTES is not supported/],
    [{ outputs: [] }, [], /output "o" is missing/],
    [{}, [], /outputs are missing/],
    [
      { outputs: [{ name: "o", shape: [2], datatype: "FP32", data: [1] }] },
      [],
      /has 1 values, its shape wants 2/,
    ],
    [{ outputs: [{ name: "o", shape: [2], datatype: "FP32", data: ["1", "2"] }] }, [], /data are no numbers/],
    [{ outputs: [{ name: "o", shape: [1], datatype: "INT64", data: [1.5] }] }, [], /1\.5 is no INT64/],
    [[], [], /it is no object/],
    [{ outputs: [output] }, [eight], /Inference-Header-Content-Length is 99999/, "99999"],
    [{ outputs: [output] }, [eight], /Inference-Header-Content-Length is -1/, "-1"],
    [{ outputs: [output] }, [eight], /it is no JSON/, "5"],
  ];
  for (const [json, tensors, message, given] of cases) {
    const { length, body } = bodyOf(json, ...tensors);
    t.throws(() => decodeInferResponse(given ?? length, body, ["o"]), message);
  }
  t.end();
});

t.test("a model's metadata are read; sizes of -1 are open", (t) => {
  const json = {
    name: "mymodel",
    versions: ["1"],
    platform: "onnxruntime_onnx",
    inputs: [{ name: "input0", datatype: "FP32", shape: [-1, 3, 224, 224] }],
    outputs: [{ name: "output0", datatype: "INT64", shape: [-1, 1000] }],
  };
  t.match(readModelMetadata(json), {
    inputs: [{ name: "input0", type: "float32", shape: ["axis 0", 3, 224, 224] }],
    outputs: [{ name: "output0", type: "int64", shape: ["axis 0", 1000] }],
  });
  t.throws(() => readModelMetadata({ ...json, inputs: [] }), /inputs are missing/);
  t.throws(() => readModelMetadata({ ...json, name: 1 }), /name is missing/);
  const text = { ...json, outputs: [{ name: "text", datatype: "BYTES", shape: [1] }] };
  t.throws(() => readModelMetadata(text), /tensor "text": data type BYTES is not supported/);
  t.end();
});

t.test("addresses of models", (t) => {
  const url = parseRemoteUrl("https://host:8443/kserve/v2/models/my%20model/versions/2");
  t.same(url, { origin: "https://host:8443", prefix: "/kserve", model: "my model", version: "2" });
  t.equal(modelPath(url), "/kserve/v2/models/my%20model/versions/2");
  t.equal(modelPath(parseRemoteUrl("http://h/v2/models/m")), "/v2/models/m");
  for (const bad of [
    "http://h/",
    "http://h/v1/models/m",
    "http://h/v2/models/",
    "http://h/v2/models/m?x=1",
    "http://",
  ]) {
    t.throws(() => parseRemoteUrl(bad), /an address of a model is http/, bad);
  }
  t.end();
});

t.test("a request is tried again where that may help, and only before its deadline", (t) => {
  const limits = { maxRetries: 2, baseDelayMs: 50 };
  const broken = { kind: "no-connection" } as const;
  const busy = { kind: "status", status: 503 } as const;
  t.equal(planRetry(broken, 1, 1000, 0, limits), 50);
  t.equal(planRetry(broken, 2, 1000, 0.5, limits), 150, "doubled, with a random part");
  t.equal(planRetry(broken, 3, 1000, 0, limits), undefined, "tries are bounded");
  t.equal(planRetry(busy, 1, 1000, 0, limits), 50);
  t.equal(planRetry({ ...busy, retryAfterSeconds: 0.2 }, 1, 1000, 0, limits), 200, "the server says when");
  t.equal(
    planRetry({ ...busy, retryAfterSeconds: 2 }, 1, 1000, 0, limits),
    undefined,
    "which may be too late",
  );
  t.equal(planRetry(broken, 1, 50, 0, limits), undefined, "a try at the deadline is of no use");
  for (const status of [400, 404, 500])
    t.equal(planRetry({ kind: "status", status }, 1, 1000, 0, limits), undefined);
  t.end();
});
