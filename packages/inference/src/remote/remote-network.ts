import type { Layout } from "@sluice/tensor";
import { type Engine, EngineError } from "../engine.js";
import { ModelError } from "../model-error.js";
import type { EngineOptions, Network } from "../network.js";
import { quoteAll } from "../quote-all.js";
import { specOf, type TensorInfo, withImageLayout } from "../tensor-info.js";
import { checkOptions } from "../worker-engine/engine-options.js";
import { createEngineOver, describeInfo, describeOutput } from "../worker-engine/engine-over-session.js";
import type { WorkerSession } from "../worker-engine/session.js";
import { createSpareBuffers } from "../worker-engine/spare-buffers.js";
import { parseRemoteUrl } from "./model-url.js";
import { openRemoteModel, type RemoteModel, type RemoteOptions } from "./remote-model.js";

/** A model at a server as the engines' session: what waits is bounded, and ends with the session. */
function createRemoteSession(model: RemoteModel, maxPendingRuns: number): WorkerSession {
  const counts = { pending: 0, completed: 0, failed: 0, refused: 0 };
  return {
    inputs: model.metadata.inputs,
    outputs: model.metadata.outputs,
    async run(inputs, { timeoutMs } = {}) {
      if (counts.pending >= maxPendingRuns) {
        counts.refused++;
        throw new EngineError("queue-full", `maxPendingRuns: ${maxPendingRuns} runs are pending already`);
      }
      counts.pending++;
      try {
        const outputs = await model.infer(inputs, timeoutMs);
        counts.completed++;
        return outputs;
      } catch (error) {
        counts.failed++;
        throw error;
      } finally {
        counts.pending--;
      }
    },
    // Requests are written from the tensors: nothing comes back.
    buffers: createSpareBuffers(),
    counters: () => ({ ...counts }),
    close: () => model.close(),
  };
}

/** Frameworks of TensorFlow put the channels last. */
function imageLayoutOf(platform: string): Layout {
  return /tensorflow|keras/i.test(platform) ? "hwc" : "chw";
}

/**
 * Opens a model at a server of the Open Inference Protocol, version 2, over HTTP: KServe, Triton, OpenVINO Model Server,
 * MLServer, Ray Serve. Its inside is not known, so it cannot be cut; see {@link withRemoteHalf}.
 * @param address `http://host:8000/v2/models/NAME`, with `/versions/VERSION` behind or not
 * @throws ModelError `unknown-name` for an address of another form
 * @throws EngineError `unreachable`, `timeout`, `load-failed`
 */
export async function openRemoteNetwork(address: string, options: RemoteOptions = {}): Promise<Network> {
  const url = parseRemoteUrl(address);
  const probe = await openRemoteModel(url, options);
  await probe.close();
  const layout = imageLayoutOf(probe.metadata.platform);
  const outputs = probe.metadata.outputs.map((info) => describeOutput(info, layout));
  return {
    format: "open-inference-protocol",
    engine: "remote",
    byteLength: undefined,
    hash: undefined,
    inputs: probe.metadata.inputs.map((info) => withImageLayout(describeInfo(info, layout))),
    outputs,
    measureOutputs: async () => outputs,
    listCuts: async () => [],
    listIllegalCuts: async () => [],
    measureWork: async () => ({ operation: "", nodeShare: 0, workShare: 0, multiplyAdds: 0 }),
    async split(tensorName) {
      throw new ModelError(
        "illegal-cut",
        `cut "${tensorName}": the inside of a model at a server is not known`,
      );
    },
    async load(engineOptions: EngineOptions = {}): Promise<Engine> {
      const { maxPendingRuns } = checkOptions(engineOptions);
      const model = await openRemoteModel(url, options);
      engineOptions.onLog?.(
        `remote: ${model.metadata.name} at ${url.origin}, tensors ${model.binary ? "as bytes" : "in JSON"}`,
      );
      const { live, ready } = await model.health();
      if (!ready) {
        await model.close();
        const state = live ? "the server lives" : "the server does not say that it lives";
        throw new EngineError("load-failed", `model "${url.model}" at ${url.origin} is not ready (${state})`);
      }
      return createEngineOver(createRemoteSession(model, maxPendingRuns), layout);
    },
    async save() {
      throw new ModelError("unsupported", "a model at a server cannot be written");
    },
  };
}

function checkSame(what: string, here: TensorInfo, there: TensorInfo | undefined): void {
  const fits =
    there !== undefined &&
    here.dtype === there.dtype &&
    here.shape.length === there.shape.length &&
    here.shape.every(
      (size, axis) => size === null || there.shape[axis] === null || size === there.shape[axis],
    );
  if (fits) return;
  const tell = (info: TensorInfo | undefined) =>
    info === undefined ? "nothing" : `${info.dtype} [${info.shape.map((size) => size ?? "?").join(", ")}]`;
  throw new ModelError("unsupported", `the remote model takes ${tell(there)}, ${what} is ${tell(here)}`);
}

/**
 * A network whose second half behind one cut runs at a server: its tail there, all else here. The way to scale the
 * second half past one machine.
 * @param tensorName the cut; empty: the whole network runs at the server
 * @param remote the half (or all) of the network, which takes what the cut gives
 * @throws ModelError as `split` does, and `unsupported` where the remote model takes another tensor
 */
export async function withRemoteHalf(
  network: Network,
  tensorName: string,
  remote: Network,
): Promise<Network> {
  if (tensorName === "") {
    checkAll((i) => (i === 0 ? "the model's input" : `its input ${i + 1}`), network.inputs, remote.inputs);
    return { ...describe(network), load: (options) => remote.load(options) };
  }
  const { cut, crossing, head } = await network.split(tensorName);
  checkAll((i) => `cut "${crossing[i]!.name}"`, crossing, remote.inputs);
  for (const tensor of crossing) specOf(tensor);
  return {
    ...describe(network),
    load: (options) => network.load(options),
    split: async (name) =>
      name === tensorName ? { cut, crossing, head, tail: remote } : network.split(name),
  };
}

function checkAll(
  what: (index: number) => string,
  here: readonly TensorInfo[],
  there: readonly TensorInfo[],
): void {
  for (const [i, info] of here.entries()) checkSame(what(i), info, there[i]);
  if (there.length <= here.length) return;
  const more = quoteAll(there.slice(here.length).map(({ name }) => name));
  throw new ModelError("unsupported", `the remote model takes ${more} beside ${what(0)}`);
}

/** A copy; getters keep computing late. */
function describe(network: Network): Network {
  return {
    ...{
      format: network.format,
      engine: network.engine,
      byteLength: network.byteLength,
      inputs: network.inputs,
    },
    get hash() {
      return network.hash;
    },
    get outputs() {
      return network.outputs;
    },
    measureOutputs: () => network.measureOutputs(),
    listCuts: () => network.listCuts(),
    listIllegalCuts: () => network.listIllegalCuts(),
    measureWork: (cut) => network.measureWork(cut),
    split: (name) => network.split(name),
    load: (options) => network.load(options),
    save: (directory, name) => network.save(directory, name),
  };
}
