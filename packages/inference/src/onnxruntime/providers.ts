/** What onnxruntime can compute with, by its own names. */
export const onnxProviders = ["cpu", "webgpu", "cuda", "tensorrt", "dml", "coreml"] as const;
export type OnnxProvider = (typeof onnxProviders)[number];

/** `auto`: the quickest of {@link automaticProviders} that can be had, measured with this network. */
export const providerChoices = ["auto", ...onnxProviders] as const;
export type ProviderChoice = (typeof providerChoices)[number];

/**
 * What `auto` tries, in this order; of those that are equally quick the first is taken. TensorRT, which builds an engine for
 * minutes, and CoreML, which may compute with fewer bits, are taken only by their names.
 */
export const automaticProviders: readonly OnnxProvider[] = ["cuda", "dml", "webgpu", "cpu"];

/**
 * Why a provider is not worth a try; undefined where it may be. WebGPU also runs on a Vulkan that computes on the processor,
 * which is slower by orders of magnitude and takes minutes to find out.
 * @param devices names in `/dev` and `/dev/dri`
 */
export function obstacleOf(
  provider: OnnxProvider,
  platform: string,
  devices: () => readonly string[],
): string | undefined {
  if (provider !== "webgpu" || platform !== "linux") return undefined;
  return devices().some((name) => /^(?:renderD\d+|nvidia\d+|dxg)$/.test(name))
    ? undefined
    : "there is no device of a GPU in /dev";
}

/** What would let a provider be had, for people; empty where nothing is known. */
export function adviceFor(provider: OnnxProvider, platform: string): string {
  if (provider === "webgpu" && platform === "linux") {
    return ": it takes libvulkan.so.1, the driver of the GPU, and leave to open its devices";
  }
  if (provider === "cuda" || provider === "tensorrt") {
    return ": `node script/install.js --onnxruntime-node-install=cuda12` in onnxruntime-node's folder fetches its libraries";
  }
  return "";
}
