import type * as Tf from "@tensorflow/tfjs";
import { mergeShapes } from "../worker-engine/merge-shapes.js";
import type { RawInfo } from "../worker-engine/messages.js";
import type { FlatLayers, LayerCall } from "./flatten-layers.js";
import type { TfjsValueType } from "./messages.js";
import type { TensorFlow } from "./open-backend.js";
import { runZeros } from "./zeros.js";

/** What a value is while the layers run. */
interface Computed {
  readonly tensor: Tf.Tensor;
  readonly mask: Tf.Tensor | null;
}

/** The calls on the way from some values to others, in order. */
export function callsBetween(flat: FlatLayers, from: readonly string[], to: readonly string[]): LayerCall[] {
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
export function runCalls(
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

/** What comes of zeros, for layers whose sizes follow those of the inputs. */
export async function measureCalls(
  tf: TensorFlow,
  flat: FlatLayers,
  inputs: readonly RawInfo[],
): Promise<Map<string, TfjsValueType>> {
  const names = [...new Set(flat.calls.flatMap(({ outputs }) => outputs))];
  const measure = (batch: number) =>
    runZeros(tf, inputs, batch, async (tensors) => {
      const given = new Map(tensors.map((tensor, i) => [flat.inputs[i]!.name, tensor]));
      const results = runCalls(tf, flat.calls, given, names);
      const shapes = results.map(({ tensor }) => tensor.shape);
      for (const { tensor, mask } of results) tf.dispose(mask === null ? [tensor] : [tensor, mask]);
      return shapes;
    });
  const single = await measure(1);
  const isOpen = inputs.some(({ shape }) => typeof shape[0] === "string");
  const double = isOpen ? await measure(2).catch(() => single) : single;
  return new Map(
    names.map((name, i) => [
      name,
      { type: flat.dtypes.get(name)!, shape: mergeShapes(single[i]!, double[i]!, "batch") },
    ]),
  );
}
