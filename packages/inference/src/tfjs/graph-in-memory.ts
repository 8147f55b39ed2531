import type * as Tf from "@tensorflow/tfjs";
import { analyseFlow } from "../graph/data-flow.js";
import { findCuts } from "../graph/find-cuts.js";
import { mergeShapes } from "../worker-engine/merge-shapes.js";
import type { RawInfo } from "../worker-engine/messages.js";
import type { TfjsArtifacts } from "./artifacts.js";
import {
  type GraphDefNode,
  isLoopOperation,
  nodeOfValue,
  readGraphDef,
  readSignature,
  valueName,
} from "./graph-def.js";
import type { TfjsDescription, TfjsNode, TfjsPart, TfjsValueType } from "./messages.js";
import { countsWork, graphMultiplyAdds } from "./multiply-adds.js";
import type { TensorFlow } from "./open-backend.js";
import { rawShape, type TfjsNetworkInMemory } from "./runnable.js";
import { runZeros, withSizes } from "./zeros.js";

/** Values that are fetched at once when shapes are measured: each stays in memory until the end of its run. */
const probedAtOnce = 64;

/**
 * The nodes as operations on values; how many outputs a node has shows in what is made of them. What a loop hands to
 * its next round is left out: the flow has no cycles.
 */
function flowNodes(
  nodes: readonly GraphDefNode[],
  outputs: readonly string[],
): Omit<TfjsNode, "multiplyAdds">[] {
  const extra = new Map<string, Set<string>>();
  for (const value of [...nodes.flatMap(({ inputs }) => inputs), ...outputs]) {
    const node = nodeOfValue(value);
    if (node === value) continue;
    const values = extra.get(node) ?? new Set();
    extra.set(node, values.add(value));
  }
  const nextRounds = new Set(
    nodes.filter(({ opType }) => opType === "NextIteration").map(({ name }) => name),
  );
  return nodes
    .filter(
      ({ opType }) => opType !== "Const" && opType !== "Placeholder" && opType !== "PlaceholderWithDefault",
    )
    .map(({ name, opType, inputs }) => ({
      ...{ opType, captures: [] },
      inputs: opType === "Merge" ? inputs.filter((value) => !nextRounds.has(nodeOfValue(value))) : inputs,
      outputs: [name, ...(extra.get(name) ?? [])],
    }));
}

/** What the nodes on the way back from some values are. */
function reachBack(
  nodes: readonly GraphDefNode[],
  to: readonly string[],
  from: ReadonlySet<string>,
): Set<string> {
  const byName = new Map(nodes.map((node) => [node.name, node]));
  const reached = new Set<string>();
  const queue = [...to];
  for (let value = queue.pop(); value !== undefined; value = queue.pop()) {
    const name = nodeOfValue(value);
    if (from.has(value) || reached.has(name)) continue;
    reached.add(name);
    queue.push(...(byName.get(name)?.inputs ?? []));
  }
  return reached;
}

/** Inputs by their names in the graph; newer converters say their shapes only in the signature. */
function describeInputs(model: Tf.GraphModel, signature: unknown): RawInfo[] {
  const declared = readSignature(signature, "inputs");
  return model.inputs.map(({ name, dtype, shape }) => {
    const entry = declared.get(name);
    const sizes = Array.isArray(shape) ? (shape as number[]) : entry?.shape;
    if (sizes === undefined) throw new Error(`input "${name}": the model does not say what shape it has`);
    return { name: entry?.value ?? valueName(name) ?? name, type: dtype, shape: rawShape(sizes) };
  });
}

/** Outputs by their names in the graph. */
function graphOutputs(model: Tf.GraphModel, signature: unknown): string[] {
  const declared = readSignature(signature, "outputs");
  return model.outputNodes.map((name) => declared.get(name)?.value ?? valueName(name) ?? name);
}

function hasFunctions(topology: unknown): boolean {
  const { library } = topology as { readonly library?: { readonly function?: readonly unknown[] } };
  return (library?.function?.length ?? 0) > 0;
}

/** Opens a GraphModel. @throws Error of TensorFlow.js where it does not take the model */
export async function openGraph(tf: TensorFlow, artifacts: TfjsArtifacts): Promise<TfjsNetworkInMemory> {
  const { json, weightSpecs, weightData } = artifacts;
  const model = await tf.loadGraphModel(
    tf.io.fromMemory({ ...json, weightSpecs, weightData } as unknown as Tf.io.ModelArtifacts),
  );
  const nodes = readGraphDef(json.modelTopology);
  let inputs: readonly RawInfo[] = describeInputs(model, json.signature);
  const outputNames = graphOutputs(model, json.signature);
  const flow = flowNodes(nodes, outputNames);
  const constants = nodes.filter(({ opType }) => opType === "Const").map(({ name }) => name);

  /** Loops and results of unknown size need the slower way. */
  let isDynamic = false;
  const execute = async (feeds: Tf.NamedTensorMap, fetches: readonly string[]): Promise<Tf.Tensor[]> => {
    const asList = (result: Tf.Tensor | Tf.Tensor[]) => (Array.isArray(result) ? result : [result]);
    if (!isDynamic) {
      try {
        return asList(model.execute(feeds, [...fetches]));
      } catch (error) {
        if (!(error instanceof Error) || !error.message.includes("executeAsync")) throw error;
        isDynamic = true;
      }
    }
    return asList(await model.executeAsync(feeds, [...fetches]));
  };

  /** Shapes of values for zeros with some batch. */
  async function measure(names: readonly string[], batch: number): Promise<Map<string, TfjsValueType>> {
    const types = new Map<string, TfjsValueType>();
    for (let first = 0; first < names.length; first += probedAtOnce) {
      const part = names.slice(first, first + probedAtOnce);
      await runZeros(tf, inputs, batch, async (tensors) => {
        const feeds = Object.fromEntries(inputs.map(({ name }, i) => [name, tensors[i]!]));
        const results = await execute(feeds, part);
        for (const [i, { dtype, shape }] of results.entries()) {
          types.set(part[i]!, { type: dtype, shape });
        }
        tf.dispose(results.filter((tensor) => !tensors.includes(tensor)));
      });
    }
    return types;
  }

  /** Types of values for any batch. */
  async function probeTypes(names: readonly string[]): Promise<Map<string, TfjsValueType>> {
    const single = await measure(names, 1);
    if (!inputs.some(({ shape }) => typeof shape[0] === "string")) return single;
    const double = await measure(names, 2).catch(() => single);
    return new Map(
      [...single].map(([name, type]) => [
        name,
        {
          ...type,
          shape: mergeShapes(type.shape as number[], double.get(name)!.shape as number[], "batch"),
        },
      ]),
    );
  }

  const shapesOfWeights = new Map(weightSpecs.map(({ name, shape }) => [name, shape]));
  const weightShape = (value: string): readonly number[] | undefined => {
    let name = nodeOfValue(value);
    const byName = new Map(nodes.map((node) => [node.name, node]));
    // A weight may come through Identity, which is how a variable is read.
    for (let steps = 0; steps < 8; steps++) {
      const shape = shapesOfWeights.get(name);
      if (shape !== undefined) return shape;
      const node = byName.get(name);
      if (node?.opType !== "Identity" || node.inputs[0] === undefined) return undefined;
      name = nodeOfValue(node.inputs[0]);
    }
    return undefined;
  };

  return {
    async describe(sizes): Promise<TfjsDescription> {
      inputs = withSizes(inputs, sizes);
      const graph = { nodes: flow, inputs: inputs.map(({ name }) => name), outputs: outputNames, constants };
      const analysed = analyseFlow(graph);
      const cuts = findCuts(analysed).cuts.flatMap(({ values }) => values);
      const worked = flow.filter((node) => countsWork(node.opType) && analysed.relevant.has(node));
      const operands = worked.flatMap((node) =>
        node.inputs.filter((name) => weightShape(name) === undefined),
      );
      const given = new Set(graph.inputs);
      const asked = new Set([...cuts, ...operands, ...worked.map(({ outputs }) => outputs[0]!)]);
      const types = await probeTypes([
        ...outputNames,
        ...[...asked].filter(
          (name) => !given.has(name) && !outputNames.includes(name) && analysed.varying.has(name),
        ),
      ]);
      for (const { name, type, shape } of inputs) types.set(name, { type, shape });
      const shapeOf = (name = "") => weightShape(name) ?? types.get(name)?.shape ?? undefined;
      const described = flow.map((node): TfjsNode => {
        const [first, second, third] = node.inputs.map(shapeOf);
        const output = shapeOf(node.outputs[0]);
        return { ...node, multiplyAdds: graphMultiplyAdds(node.opType, first, second, third, output) };
      });
      for (const { opType, outputs } of flow) {
        if (!isLoopOperation(opType)) continue;
        const obstacle = "is part of a loop or a branch";
        for (const name of outputs) types.set(name, { type: "float32", shape: null, obstacle });
      }
      const outputs = outputNames.map((name) => {
        const { type, shape } = types.get(name)!;
        if (shape === null) throw new Error(`output "${name}": its first axis is not the batch axis`);
        return { name, type, shape: rawShape(shape) };
      });
      return { inputs, outputs, constants, nodes: described, types };
    },
    take({ inputs: given, outputs }: TfjsPart) {
      const feeds = given.map(({ name }) => name);
      const fetches = outputs.map(({ name }) => name);
      const kept = reachBack(nodes, fetches, new Set(feeds));
      // What functions of loops and branches use is not seen from outside.
      if (!hasFunctions(json.modelTopology)) {
        for (const [name, tensors] of Object.entries(model.weights)) if (!kept.has(name)) tf.dispose(tensors);
      }
      return (tensors) => execute(Object.fromEntries(feeds.map((name, i) => [name, tensors[i]!])), fetches);
    },
  };
}
