/**
 * A server of the Open Inference Protocol, version 2, over HTTP: every endpoint of the specification, the binary tensor
 * data extension both ways, errors as it says. Written from the specification, apart from the code under test.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Engine } from "@sluice/inference";
import { createTensor, type Tensor } from "@sluice/tensor";

/** What happens to the next requests for inference instead of an answer. */
export type Fault =
  | { status: number; retryAfter?: string }
  | "hang-up"
  | "silence"
  | "no-http"
  | ((body: Buffer) => Buffer);

export interface ServedRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: Buffer;
}

export interface InferenceServer {
  readonly origin: string;
  readonly requests: ServedRequest[];
  /** Taken from the front, one for each request for inference. */
  readonly faults: Fault[];
  isReady: boolean;
  readonly mostAtOnce: () => number;
  close(): Promise<void>;
}

interface InferenceTensor {
  name: string;
  shape: number[];
  datatype: string;
  parameters?: { binary_data_size?: number; binary_data?: boolean };
  data?: number[];
}

function send(response: ServerResponse, status: number, json: unknown): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(json));
}

async function readAll(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** The request's tensor as samples. */
function readInput(
  body: Buffer,
  headerLength: number,
  shape: readonly number[],
): { json: { outputs: InferenceTensor[] }; samples: Tensor[] } {
  const json = JSON.parse(body.subarray(0, headerLength).toString());
  const [input] = json.inputs as InferenceTensor[];
  const size = input!.parameters?.binary_data_size;
  const values =
    size === undefined
      ? Float32Array.from(input!.data!.flat(9))
      : new Float32Array(Uint8Array.from(body.subarray(headerLength, headerLength + size)).buffer);
  const count = shape.reduce((product, axis) => product * axis, 1);
  const batch = input!.shape[0]!;
  if (input!.datatype !== "FP32" || values.length !== batch * count)
    throw new Error("unexpected shape for input");
  const samples = Array.from({ length: batch }, (_, n) =>
    createTensor(
      "float32",
      shape,
      values.slice(n * count, (n + 1) * count),
      shape.length === 3 ? "chw" : "any",
    ),
  );
  return { json, samples };
}

async function infer(engine: Engine, request: ServedRequest, answer: ServerResponse): Promise<void> {
  const given = request.headers["inference-header-content-length"];
  const headerLength = given === undefined ? request.body.length : Number(given);
  const shape = engine.inputs[0]!.shape.map((size) => size ?? 1);
  const { json, samples } = readInput(request.body, headerLength, shape);
  const results = await engine.runBatch(samples);
  const outputs: InferenceTensor[] = [];
  const binary: Buffer[] = [];
  for (const [i, { name, parameters }] of json.outputs.entries()) {
    const parts = results.map((outputsOfSample) => outputsOfSample[i]!);
    const data = Buffer.concat(
      parts.map((part) => Buffer.from(part.data.buffer, part.data.byteOffset, part.data.byteLength)),
    );
    const output = { name, datatype: "FP32", shape: [samples.length, ...parts[0]!.shape] };
    if (parameters?.binary_data === true) {
      outputs.push({ ...output, parameters: { binary_data_size: data.length } });
      binary.push(data);
    } else {
      outputs.push({ ...output, data: parts.flatMap((part) => Array.from(part.data as Float32Array)) });
    }
  }
  const header = Buffer.from(JSON.stringify({ model_name: "tail", outputs }));
  if (binary.length === 0) {
    answer.writeHead(200, { "content-type": "application/json" }).end(header);
    return;
  }
  const headers = {
    "content-type": "application/octet-stream",
    "inference-header-content-length": header.length,
  };
  answer.writeHead(200, headers).end(Buffer.concat([header, ...binary]));
}

/** Serves a model called `tail`, in version 3. */
export async function startInferenceServer(
  engine: Engine,
  extensions: readonly string[],
): Promise<InferenceServer> {
  const requests: ServedRequest[] = [];
  const faults: Fault[] = [];
  let atOnce = 0;
  let mostAtOnce = 0;
  const tensors = (infos: Engine["outputs"]) =>
    infos.map(({ name, shape }) => ({ name, datatype: "FP32", shape: [-1, ...shape] }));
  const state = { isReady: true };

  async function answerInference(request: ServedRequest, answer: ServerResponse): Promise<void> {
    const fault = faults.shift();
    if (fault === "hang-up") answer.socket?.destroy();
    else if (fault === "silence") return;
    else if (fault === "no-http") answer.socket?.end("Bonjour\r\n\r\n");
    else if (typeof fault === "function") {
      const body = fault(request.body);
      answer.writeHead(200, { "content-type": "application/json" }).end(body);
    } else if (fault !== undefined) {
      if (fault.retryAfter !== undefined) answer.setHeader("retry-after", fault.retryAfter);
      send(answer, fault.status, { error: `fault ${fault.status}` });
    } else {
      atOnce++;
      mostAtOnce = Math.max(mostAtOnce, atOnce);
      try {
        await infer(engine, request, answer);
      } catch (error) {
        send(answer, 400, { error: error instanceof Error ? error.message : String(error) });
      } finally {
        atOnce--;
      }
    }
  }

  const server = createServer(async (incoming, answer) => {
    const request = {
      ...{ method: incoming.method ?? "", path: incoming.url ?? "", headers: incoming.headers },
      body: await readAll(incoming),
    };
    requests.push(request);
    const model = /^\/v2\/models\/tail(?:\/versions\/3)?(?:\/(ready|infer))?$/.exec(request.path);
    if (request.path === "/v2") send(answer, 200, { name: "test server", version: "1.0", extensions });
    else if (request.path === "/v2/health/live") send(answer, 200, { live: true });
    else if (request.path === "/v2/health/ready")
      send(answer, state.isReady ? 200 : 400, { ready: state.isReady });
    else if (model?.[1] === "ready")
      send(answer, state.isReady ? 200 : 400, { name: "tail", ready: state.isReady });
    else if (model?.[1] === "infer" && request.method === "POST") await answerInference(request, answer);
    else if (model !== null) {
      const metadata = { name: "tail", versions: ["3"], platform: "onnxruntime_onnx" };
      send(answer, 200, { ...metadata, inputs: tensors(engine.inputs), outputs: tensors(engine.outputs) });
    } else send(answer, 404, { error: `Request for unknown model: '${request.path}' is not found` });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return Object.assign(state, {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    ...{ requests, faults },
    mostAtOnce: () => mostAtOnce,
    close: () =>
      new Promise<void>((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  });
}
