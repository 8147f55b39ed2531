import { EngineError } from "../engine.js";
import type { RawTensor } from "../worker-engine/messages.js";
import { datatypeOf } from "./datatype.js";

/** The header that tells where the JSON ends and the tensors begin, in small letters. */
export const headerLengthHeader = "inference-header-content-length";

/** An inference request of the Open Inference Protocol. */
export interface InferRequest {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

const utf8 = new TextEncoder();

function bytesOf({ data }: RawTensor): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

/** Values as JSON has them: booleans for BOOL, integers in full. */
function jsonData({ type, data }: RawTensor): (number | boolean)[] {
  if (type === "bool") return Array.from(data as Uint8Array, (value) => value !== 0);
  return Array.from(data as ArrayLike<number | bigint>, Number);
}

/**
 * Encodes a request.
 * @param binary by the binary tensor data extension: the tensors' bytes behind the JSON, and the same for the answer
 * @throws EngineError `bad-input` for float16 without that extension: JSON has no such type
 */
export function encodeInferRequest(
  inputs: Readonly<Record<string, RawTensor>>,
  outputNames: readonly string[],
  binary: boolean,
): InferRequest {
  const parts: Uint8Array[] = [];
  const described = Object.entries(inputs).map(([name, tensor]) => {
    const datatype = datatypeOf(tensor.type);
    if (datatype === undefined) {
      throw new EngineError("bad-input", `input "${name}": the protocol has no data type for ${tensor.type}`);
    }
    const common = { name, shape: tensor.dims, datatype };
    if (!binary) {
      if (datatype === "FP16") {
        const message = `input "${name}": FP16 needs the extension binary_tensor_data, which the server has not`;
        throw new EngineError("bad-input", message);
      }
      return { ...common, data: jsonData(tensor) };
    }
    const bytes = bytesOf(tensor);
    parts.push(bytes);
    return { ...common, parameters: { binary_data_size: bytes.length } };
  });
  const outputs = outputNames.map((name) =>
    binary ? { name, parameters: { binary_data: true } } : { name },
  );
  const json = utf8.encode(JSON.stringify({ inputs: described, outputs }));
  if (!binary) return { headers: { "content-type": "application/json" }, body: json };
  const body = new Uint8Array(parts.reduce((sum, part) => sum + part.length, json.length));
  body.set(json);
  let offset = json.length;
  for (const part of parts) {
    body.set(part, offset);
    offset += part.length;
  }
  const headers = { "content-type": "application/octet-stream", [headerLengthHeader]: String(json.length) };
  return { headers, body };
}
