import type * as Tf from "@tensorflow/tfjs";
import type { RawInfo } from "../worker-engine/messages.js";
import type { TfjsArtifacts } from "./artifacts.js";
import { type FlatLayers, flattenLayers, type LayerCall } from "./flatten-layers.js";
import type { TfjsDescription, TfjsNode, TfjsPart, TfjsValueType } from "./messages.js";
import { layerMultiplyAdds } from "./multiply-adds.js";
import type { TensorFlow } from "./open-backend.js";
import { rawShape, type TfjsNetworkInMemory } from "./runnable.js";
import { runZeros } from "./zeros.js";

/** What a value is while the layers run. */
interface Computed {
  readonly tensor: Tf.Tensor;
  readonly mask: Tf.Tensor | null;
}

/** The calls on the way from some values to others, in order. */
function callsBetween(flat: FlatLayers, from: readonly string[], to: readonly string[]): LayerCall[] {
  const needed = new Set(to);
  const given = new Set(from);
  const calls: LayerCall[] = [];
  for (let i = flat.calls.length - 1; i >= 0; i--) {
    const call = flat.calls[i]!;
    if (!call.outputs.some((name) => needed.has(name) && !given.has(name))) continue;
    calls.push(call);
    for (const name of call.inputs) needed.add(name);
  }
  return calls.reverse();
}

function listOf<T>(value: T | T[]): T[] {
  return Array.isArray(value) ? value : [value];
}

/**
 * One layer as the library's own executor applies it: masks of time steps go along, and of what it was called with the
 * tensors alone, among which initial states are.
 */
function applyLayer(call: LayerCall, inputs: readonly Computed[]): Computed[] {
  const tensors = inputs.map((input) => input.tensor);
  const masks = inputs.map((input) => input.mask);
  const hasMask = masks.some((mask) => mask !== null);
  const kwargs = hasMask ? { mask: masks.length === 1 ? masks[0] : masks } : {};
  const { layer } = call;
  const results = listOf(
    layer.apply(tensors.length === 1 ? tensors[0]! : tensors, kwargs) as Tf.Tensor | Tf.Tensor[],
  );
  const made = layer.supportsMasking
    ? layer.computeMask(
        tensors.length === 1 ? tensors[0]! : tensors,
        (hasMask ? (masks.length === 1 ? masks[0] : masks) : null) as Tf.Tensor,
      )
    : null;
  const madeMasks = listOf(made as Tf.Tensor | Tf.Tensor[] | null);
  return results.map((result, i) => ({ tensor: result, mask: madeMasks[i] ?? null }));
}

/**
 * Runs calls; what is not needed any more is let go at once.
 * @returns what was wanted, in this order, to be let go by the caller
 */
function runCalls(
  tf: TensorFlow,
  calls: readonly LayerCall[],
  given: ReadonlyMap<string, Tf.Tensor>,
  wanted: readonly string[],
): Computed[] {
  const uses = new Map<string, number>();
  for (const name of [...calls.flatMap(({ inputs }) => inputs), ...wanted]) {
    uses.set(name, (uses.get(name) ?? 0) + 1);
  }
  const values = new Map<string, Computed>();
  const letGo = (name: string): void => {
    const { tensor } = values.get(name)!;
    values.delete(name);
    // The last output of a recurrent layer is one of its states as well.
    for (const other of values.values()) if (other.tensor === tensor) return;
    tf.dispose(tensor);
  };
  for (const [name, tensor] of given) values.set(name, { tensor, mask: null });
  tf.tidy(() => {
    for (const call of calls) {
      const inputs = call.inputs.map((name) => values.get(name)!);
      for (const [i, value] of applyLayer(call, inputs).entries()) values.set(call.outputs[i]!, value);
      for (const name of call.inputs) {
        const left = uses.get(name)! - 1;
        uses.set(name, left);
        if (left === 0 && !given.has(name)) letGo(name);
      }
    }
    // What tidy is handed it does not let go.
    return wanted.flatMap((name) => {
      const { tensor, mask } = values.get(name)!;
      return mask === null ? [tensor] : [tensor, mask];
    });
  });
  return wanted.map((name) => values.get(name)!);
}

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
  async function findMasked(): Promise<ReadonlySet<string>> {
    if (
      !flat.calls.some(
        ({ layer }) => layer.getClassName() === "Masking" || layer.getClassName() === "Embedding",
      )
    ) {
      return new Set();
    }
    const masked = new Set<string>();
    await runZeros(tf, describeInputs(flat), 1, async (inputs) => {
      const all = flat.calls.flatMap(({ outputs }) => outputs);
      const given = new Map(inputs.map((tensor, i) => [flat.inputs[i]!.name, tensor]));
      for (const [i, { tensor, mask }] of runCalls(tf, flat.calls, given, all).entries()) {
        if (mask !== null) masked.add(all[i]!);
        tf.dispose(mask === null ? [tensor] : [tensor, mask]);
      }
    });
    return masked;
  }

  return {
    async describe(): Promise<TfjsDescription> {
      const masked = await findMasked();
      const obstacle = "a mask of time steps goes along with it, which a tensor does not carry";
      return {
        inputs: describeInputs(flat),
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
