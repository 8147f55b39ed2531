import type * as Tf from "@tensorflow/tfjs";
import type { TensorFlow } from "./open-backend.js";

/** One use of a layer: the values that go in and come out. Models inside the model are taken apart. */
export interface LayerCall {
  readonly layer: Tf.layers.Layer;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** With the batch axis. */
  readonly outputShapes: readonly (readonly (number | null)[])[];
}

/** A LayersModel as uses of layers, each after those whose outputs it takes. */
export interface FlatLayers {
  readonly calls: readonly LayerCall[];
  readonly inputs: readonly {
    readonly name: string;
    readonly dtype: string;
    readonly shape: readonly (number | null)[];
  }[];
  readonly outputs: readonly string[];
  /** Of all values. */
  readonly dtypes: ReadonlyMap<string, string>;
}

type Container = Tf.LayersModel;

/** Models nested deeper than this are taken for an attack on the stack. */
const maxDepth = 32;

/** Which value a symbolic tensor of a model is, for one use of the model. */
interface Scope {
  readonly prefix: string;
  readonly values: Map<number, string>;
}

/**
 * Takes a LayersModel apart. A value is called as the layer that makes it (`outer/inner` inside a model in the
 * model, `name#2` for a layer's second use, `name:1` for its second output).
 */
export function flattenLayers(tf: TensorFlow, model: Container): FlatLayers {
  const calls: LayerCall[] = [];
  const dtypes = new Map<string, string>();
  const uses = new Map<string, number>();

  const nameUse = (scope: Scope, layer: Tf.layers.Layer): string => {
    const name = `${scope.prefix}${layer.name}`;
    const count = (uses.get(name) ?? 0) + 1;
    uses.set(name, count);
    return count === 1 ? name : `${name}#${count}`;
  };

  function visit(tensor: Tf.SymbolicTensor, scope: Scope, depth: number): string {
    const known = scope.values.get(tensor.id);
    if (known !== undefined) return known;
    const layer = tensor.sourceLayer;
    const node = layer.inboundNodes[tensor.nodeIndex!];
    if (node === undefined) throw new Error(`layer "${layer.name}": is not connected`);
    if (depth > maxDepth * 1000) throw new Error("the model is too deep");
    const inputs = node.inputTensors.map((input) => visit(input, scope, depth + 1));
    if (layer instanceof tf.LayersModel) {
      const inner: Scope = { prefix: `${scope.prefix}${layer.name}/`, values: new Map() };
      if (inner.prefix.split("/").length > maxDepth) throw new Error("models are nested too deep");
      for (const [i, input] of layer.inputs.entries()) inner.values.set(input.id, inputs[i]!);
      for (const [i, output] of node.outputTensors.entries()) {
        scope.values.set(output.id, visit(layer.outputs[i]!, inner, depth + 1));
      }
    } else {
      const name = nameUse(scope, layer);
      const outputs = node.outputTensors.map((output, i) => {
        const value = i === 0 ? name : `${name}:${i}`;
        scope.values.set(output.id, value);
        dtypes.set(value, output.dtype);
        return value;
      });
      const outputShapes = node.outputTensors.map(({ shape }) => shape);
      calls.push({ layer, inputs, outputs, outputShapes });
    }
    return scope.values.get(tensor.id)!;
  }

  const scope: Scope = { prefix: "", values: new Map() };
  const inputs = model.inputs.map((tensor) => {
    const name = tensor.sourceLayer.name;
    scope.values.set(tensor.id, name);
    dtypes.set(name, tensor.dtype);
    return { name, dtype: tensor.dtype, shape: tensor.shape };
  });
  const outputs = model.outputs.map((tensor) => visit(tensor, scope, 0));
  return { calls, inputs, outputs, dtypes };
}
