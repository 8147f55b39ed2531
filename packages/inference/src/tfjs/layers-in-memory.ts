import type * as Tf from "@tensorflow/tfjs";
import type { RawInfo } from "../worker-engine/messages.js";
import type { TfjsArtifacts } from "./artifacts.js";
import { type FlatLayers, flattenLayers, type LayerCall } from "./flatten-layers.js";
import type { TfjsDescription, TfjsNode, TfjsPart, TfjsValueType } from "./messages.js";
import { layerMultiplyAdds } from "./multiply-adds.js";
import type { TensorFlow } from "./open-backend.js";
import { callsBetween, measureCalls, runCalls } from "./run-calls.js";
import { rawShape, type TfjsNetworkInMemory } from "./runnable.js";
import { canProbe, runZeros, withSizes } from "./zeros.js";

function describeInputs({ inputs }: FlatLayers): RawInfo[] {
  return inputs.map(({ name, dtype, shape }) => ({ name, type: dtype, shape: rawShape(shape) }));
}

function declaredTypes(flat: FlatLayers): Map<string, TfjsValueType> {
  const types = new Map<string, TfjsValueType>();
  const add = (name: string, shape: readonly (number | null)[]): void => {
    // An axis of open size in front is the batch's; a number there is no sample's own.
    types.set(name, { type: flat.dtypes.get(name)!, shape: rawShape(shape) });
  };
  for (const { name, shape } of flat.inputs) add(name, shape);
  for (const { outputs, outputShapes } of flat.calls) {
    for (const [i, name] of outputs.entries()) add(name, outputShapes[i]!);
  }
  return types;
}

/** Whether a value has an axis of unknown size beside the batch's. */
function hasOpenSizes(types: ReadonlyMap<string, TfjsValueType>): boolean {
  return [...types.values()].some(({ shape }) =>
    shape?.some((size, axis) => axis > 0 && typeof size !== "number"),
  );
}

/** @throws Error naming a layer that remembers: frames of several streams go through one network, and are tried and repeated */
function checkStateless({ calls }: FlatLayers): void {
  const stateful = calls.find(({ layer }) => layer.stateful);
  if (stateful === undefined) return;
  throw new Error(
    `layer "${stateful.layer.name}" is stateful: what one frame leaves in it would go into the next one, whoever sent it; ` +
      "save the model with stateful false, and give it its states as inputs or whole sequences",
  );
}

/** Opens a LayersModel. @throws Error of TensorFlow.js where it does not take the model */
export async function openLayers(tf: TensorFlow, artifacts: TfjsArtifacts): Promise<TfjsNetworkInMemory> {
  const { json, weightSpecs, weightData } = artifacts;
  const model = await tf.loadLayersModel(
    tf.io.fromMemory({ ...json, weightSpecs, weightData } as unknown as Tf.io.ModelArtifacts),
  );
  const flat = flattenLayers(tf, model);
  checkStateless(flat);
  const types = declaredTypes(flat);
  const info = (name: string): RawInfo => {
    const { type, shape } = types.get(name)!;
    return {
      name,
      type,
      shape: rawShape((shape ?? []).map((size) => (typeof size === "number" ? size : null))),
    };
  };

  const describeNode = (call: LayerCall): TfjsNode => ({
    opType: call.layer.getClassName(),
    inputs: call.inputs,
    outputs: call.outputs,
    captures: [],
    multiplyAdds: layerMultiplyAdds(
      call.layer.getClassName(),
      call.layer.weights.map(({ shape }) => shape),
      types.get(call.inputs[0] ?? "")?.shape ?? undefined,
      types.get(call.outputs[0]!)?.shape ?? undefined,
    ),
  });

  /** The values that carry a mask, found by running zeros. */
  async function findMasked(given: readonly RawInfo[]): Promise<ReadonlySet<string>> {
    if (
      !flat.calls.some(
        ({ layer }) => layer.getClassName() === "Masking" || layer.getClassName() === "Embedding",
      )
    ) {
      return new Set();
    }
    const masked = new Set<string>();
    await runZeros(tf, given, 1, async (inputs) => {
      const all = flat.calls.flatMap(({ outputs }) => outputs);
      const values = new Map(inputs.map((tensor, i) => [flat.inputs[i]!.name, tensor]));
      for (const [i, { tensor, mask }] of runCalls(tf, flat.calls, values, all).entries()) {
        if (mask !== null) masked.add(all[i]!);
        tf.dispose(mask === null ? [tensor] : [tensor, mask]);
      }
    });
    return masked;
  }

  return {
    async describe(sizes): Promise<TfjsDescription> {
      const inputs = withSizes(describeInputs(flat), sizes);
      for (const { name, type, shape } of inputs) types.set(name, { type, shape });
      if (hasOpenSizes(types) && canProbe(inputs)) {
        for (const [name, type] of await measureCalls(tf, flat, inputs)) types.set(name, type);
      }
      const masked = await findMasked(inputs);
      const obstacle = "a mask of time steps goes along with it, which a tensor does not carry";
      return {
        inputs,
        outputs: flat.outputs.map(info),
        nodes: flat.calls.map(describeNode),
        constants: [],
        types: new Map(
          [...types].map(([name, type]) => [name, masked.has(name) ? { ...type, obstacle } : type]),
        ),
      };
    },
    take({ inputs, outputs }: TfjsPart) {
      const given = inputs.map(({ name }) => name);
      const wanted = outputs.map(({ name }) => name);
      const calls = callsBetween(flat, given, wanted);
      const done = new Set(calls.map(({ layer }) => layer));
      for (const { layer } of flat.calls) {
        if (done.has(layer)) continue;
        // Once for a layer that is used twice.
        done.add(layer);
        for (const weight of layer.weights) tf.dispose(weight.read());
      }
      return async (tensors) => {
        const results = runCalls(tf, calls, new Map(given.map((name, i) => [name, tensors[i]!])), wanted);
        for (const { mask } of results) if (mask !== null) tf.dispose(mask);
        return results.map(({ tensor }) => tensor);
      };
    },
  };
}
