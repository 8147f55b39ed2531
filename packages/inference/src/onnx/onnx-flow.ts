import { checkFlowCut, type FlowCut } from "../graph/check-cut.js";
import { analyseFlow, type DataFlow, type FlowGraph } from "../graph/data-flow.js";
import { type OnnxGraph, requiredInputs } from "./model.js";
import type { OnnxNode } from "./node.js";

/** An ONNX graph as operations on values; before IR version 4 weights are declared as inputs, too. */
export function onnxFlowGraph(graph: OnnxGraph): FlowGraph<OnnxNode> {
  return {
    nodes: graph.nodes,
    inputs: requiredInputs(graph).map(({ name }) => name),
    reserved: graph.inputs.map(({ name }) => name),
    outputs: graph.outputs.map(({ name }) => name),
    constants: graph.initializers.map(({ name }) => name),
  };
}

/** Finds what depends on what. @throws ModelError `invalid-graph` for a cycle or a value with two sources */
export function analyseDataFlow(graph: OnnxGraph): DataFlow<OnnxNode> {
  return analyseFlow(onnxFlowGraph(graph));
}

/**
 * Checks that a graph can be cut at a value, or at several; see {@link checkFlowCut}.
 * @throws ModelError `unknown-name` with the nearest names, `illegal-cut` naming the path that bypasses the cut
 */
export function checkCut(graph: OnnxGraph, cut: string): FlowCut<OnnxNode> {
  return checkFlowCut(onnxFlowGraph(graph), cut);
}
