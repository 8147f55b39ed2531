import { packTensors, type Tensor, unpackTensors } from "@sluice/tensor";
import { type Engine, EngineError, type RunOptions, type Sample } from "./engine.js";
import { ModelError } from "./model-error.js";
import type { Network } from "./network.js";
import { bundleInfo, type OutputInfo, specOf, type TensorInfo } from "./tensor-info.js";

/**
 * A network with several inputs as one that takes a single tensor: the bundle of all (`packTensors`), in the order of
 * the inputs. Where several tensors cross at a cut, the first half gives them as a bundle and the second takes that: inputs that
 * enter behind the cut go through the first half as they are. Whatever feeds a network with one input feeds it so. Where
 * there is one input, or one tensor at a cut, that is itself.
 * @throws ModelError `unsupported` where one of several inputs leaves sizes open
 */
export function bundledNetwork(network: Network): Network {
  const given = network.inputs;
  const { length } = given;
  return follow(network, {
    inputs: [bundleInfo("inputs", given)],
    ...{ listCuts: network.listCuts, listIllegalCuts: network.listIllegalCuts },
    async split(tensorName) {
      const halves = await network.split(tensorName);
      const { crossing, head, tail } = halves;
      if (length === 1 && crossing.length === 1) return halves;
      const cut = bundleInfo(tensorName, crossing);
      return {
        ...{ cut, crossing },
        head: bundledHead(head, given, crossing, cut),
        tail: crossing.length === 1 ? tail : bundledTail(tail, crossing),
      };
    },
    load: async (options) => {
      const engine = await network.load(options);
      return length === 1 ? engine : takeBundles(engine, given);
    },
  });
}

/** The first half: takes the bundle of all inputs, gives that of what crosses. */
function bundledHead(
  head: Network,
  given: readonly TensorInfo[],
  crossing: readonly TensorInfo[],
  cut: TensorInfo,
): Network {
  return follow(head, {
    ...{ inputs: [bundleInfo("inputs", given)], outputs: [cut], ...uncut },
    load: async (options) => giveBundles(await head.load(options), given, crossing, cut),
  });
}

function bundledTail(tail: Network, crossing: readonly TensorInfo[]): Network {
  return follow(tail, {
    ...{ inputs: [bundleInfo("inputs", crossing)], ...uncut },
    load: async (options) => takeBundles(await tail.load(options), crossing),
  });
}

/** A half is there to be run: whoever cuts again cuts the whole. */
const uncut: Pick<Network, "listCuts" | "listIllegalCuts" | "split"> = {
  listCuts: async () => [],
  listIllegalCuts: async () => [],
  async split(tensorName) {
    throw new ModelError("illegal-cut", `cut "${tensorName}": cut the whole network, not a half of it`);
  },
};

/** Another way to feed a network; what is costly to know stays to be asked for. */
function follow(
  network: Network,
  changed: Pick<Network, "inputs" | "listCuts" | "listIllegalCuts" | "split" | "load"> & {
    readonly outputs?: readonly OutputInfo[];
  },
): Network {
  const { outputs, ...rest } = changed;
  return {
    ...{ format: network.format, engine: network.engine, byteLength: network.byteLength },
    get hash() {
      return network.hash;
    },
    get outputs() {
      return outputs ?? network.outputs;
    },
    measureOutputs: async () => outputs ?? network.measureOutputs(),
    measureWork: (cut) => network.measureWork(cut),
    save: (directory, name) => network.save(directory, name),
    ...rest,
  };
}

/** Takes bundles apart and picks of each what an engine takes. */
function createFeeder(engine: Engine, given: readonly TensorInfo[]) {
  const specs = given.map((info) => specOf(info));
  const places = engine.inputs.map(({ name }) => given.findIndex((info) => info.name === name));
  return {
    info: bundleInfo("inputs", given),
    unpack(sample: Sample): readonly Tensor[] {
      const [bundle, ...others] = "dtype" in sample ? [sample] : sample;
      if (bundle !== undefined && others.length === 0) return unpackTensors(bundle, specs);
      throw new EngineError(
        "bad-input",
        `inputs: the model takes one tensor, the bundle of its ${given.length} inputs`,
      );
    },
    pick: (tensors: readonly Tensor[]): readonly Tensor[] => places.map((place) => tensors[place]!),
  };
}

function takeBundles(engine: Engine, given: readonly TensorInfo[]): Engine {
  const { info, unpack, pick } = createFeeder(engine, given);
  const feed = (sample: Sample) => pick(unpack(sample));
  return followEngine(engine, {
    ...{ inputs: [info], outputs: engine.outputs },
    run: async (inputs, options) => engine.run(feed(inputs), options),
    runBatch: async (samples, options) => engine.runBatch(samples.map(feed), options),
    answer: async (samples, options) => engine.answer(samples.map(feed), options),
  });
}

function giveBundles(
  engine: Engine,
  given: readonly TensorInfo[],
  crossing: readonly TensorInfo[],
  cut: TensorInfo,
): Engine {
  const { info, unpack, pick } = createFeeder(engine, given);
  const made = crossing.map(({ name }) => engine.outputs.findIndex((output) => output.name === name));
  const entering = crossing.map(({ name }) => given.findIndex((input) => input.name === name));
  const runAll = async (samples: readonly Sample[], options?: RunOptions): Promise<Tensor[][]> => {
    const inputs = samples.map(unpack);
    const results = await engine.runBatch(inputs.map(pick), options);
    return results.map((outputs, n) => [
      packTensors(made.map((place, i) => (place < 0 ? inputs[n]![entering[i]!]! : outputs[place]!))),
    ]);
  };
  return followEngine(engine, {
    ...{ inputs: [info], outputs: [cut] },
    run: async (inputs, options) => (await runAll([inputs], options))[0]!,
    ...{ runBatch: runAll, answer: runAll },
  });
}

function followEngine(
  engine: Engine,
  changed: Pick<Engine, "inputs" | "outputs" | "run" | "runBatch" | "answer">,
): Engine {
  return {
    ...changed,
    get provider() {
      return engine.provider;
    },
    counters: () => engine.counters(),
    close: () => engine.close(),
  };
}
