import type { Cut, CutWork, IllegalCut } from "./cut.js";
import type { Engine } from "./engine.js";
import type { ProviderChoice } from "./onnxruntime/providers.js";
import type { OutputInfo, TensorInfo } from "./tensor-info.js";

/** What runs a network: onnxruntime or tfjs on this machine, or a server of the Open Inference Protocol. */
export const networkEngines = ["onnxruntime", "tfjs", "remote"] as const;
export type NetworkEngine = (typeof networkEngines)[number];

/** The forms in which a network comes: an ONNX file, either form of TensorFlow.js, or a model at a server. */
export type NetworkFormat = "onnx" | "tfjs-layers" | "tfjs-graph" | "open-inference-protocol";

/** How an engine runs a network; what an engine has no use for it does not look at. */
export interface EngineOptions {
  /** Threads that compute one run; 1..64, by default one core less than there are (the network's), at most 4. */
  readonly threads?: number;
  /**
   * What onnxruntime computes with; `cpu` by default, `auto` for the quickest that can be had. Others round differently: the
   * same network gives the same to about 1e-5 of the largest value, and two halves differ as much from the whole.
   */
  readonly provider?: ProviderChoice;
  /** Sizes of the batches that will be run, by which `auto` chooses: integers from 1 on; only single samples by default. */
  readonly batches?: readonly number[];
  /** `all` (by default) is fastest; `disabled` computes node by node, so that halves equal the whole bit by bit. */
  readonly graphOptimization?: "all" | "disabled";
  /** The most runs that may wait or be under way; more are refused with `queue-full`. 1..65536, by default 64. */
  readonly maxPendingRuns?: number;
  /** Takes one line about what runs the network and what was tried before. */
  readonly onLog?: (line: string) => void;
}

/** A network cut in two: what `tail` makes of what `head` makes of an input is what the whole makes of it. */
export interface NetworkSplit {
  /** The tensor at the cut; of several the first. */
  readonly cut: TensorInfo;
  /**
   * All that `tail` takes, in its order (of a bundled network: that lies in the bundle): the tensors at the cut, which `head` gives, and those inputs of a network with several
   * that enter behind it, as they are.
   */
  readonly crossing: readonly TensorInfo[];
  /** It takes those of the network's inputs that it needs, in their order. */
  readonly head: Network;
  readonly tail: Network;
}

/**
 * A network that was read and can be described, cut and loaded: all of one, or a half. It holds no engine; whoever
 * needs to know shapes that it does not declare runs it once.
 */
export interface Network {
  readonly format: NetworkFormat;
  readonly engine: NetworkEngine;
  /** Size of the network's files; undefined where they lie elsewhere. */
  readonly byteLength: number | undefined;
  /** SHA-256 of the network's files, which tells it from others; undefined where there are none. */
  readonly hash: Uint8Array | undefined;
  readonly inputs: readonly TensorInfo[];
  readonly outputs: readonly OutputInfo[];
  /**
   * The outputs as a run gives them, where a file leaves them open or declares what is not so; a network that does not need a
   * run says what it declares.
   * @throws ModelError, EngineError where it neither runs nor declares them
   */
  measureOutputs(): Promise<readonly OutputInfo[]>;
  /**
   * Every tensor at which it can be cut, from the input to the output; empty where its inside is not known.
   * @throws ModelError for an invalid graph, EngineError where it does not run
   */
  listCuts(): Promise<Cut[]>;
  /** Every other inner tensor, and why it is no cut. @throws ModelError, EngineError as {@link listCuts} */
  listIllegalCuts(): Promise<IllegalCut[]>;
  /**
   * What is computed before a cut, which need not be a listed one; nothing where the network's inside is not known.
   * @throws ModelError, EngineError as {@link listCuts}
   */
  measureWork(cut: string): Promise<CutWork>;
  /**
   * Cuts it at a tensor, or at several that are named with a plus sign between them (`left+right`).
   * @throws ModelError `unknown-name` with the nearest names, `illegal-cut` naming the path that bypasses the cut,
   *   `unsupported` for a tensor that cannot be sent
   */
  split(tensorName: string): Promise<NetworkSplit>;
  /**
   * Makes it ready to run.
   * @throws EngineError `not-available` where the engine does not load, `load-failed` where it refuses the network
   */
  load(options?: EngineOptions): Promise<Engine>;
  /** Writes its files into a folder that exists and returns their paths. @throws ModelError `unsupported` if it cannot */
  save(directory: string, name: string): Promise<string[]>;
}
