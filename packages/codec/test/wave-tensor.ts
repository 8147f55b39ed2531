import {
  createTensor,
  type Dtype,
  elementCount,
  encodeFloat16Array,
  type Layout,
  type Tensor,
} from "@sluice/tensor";
import { channelGrid } from "#codec/channel-grid.js";

/** A tensor for tests: smooth in each channel, which all differ, with some noise. */
export function waveTensor(dtype: Dtype, shape: readonly number[], layout?: Layout, seed = 1): Tensor {
  const tensor = createTensor("float32", shape, undefined, layout);
  const grid = channelGrid(tensor);
  let state = seed >>> 0;
  const random = () => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return state / 2 ** 32;
  };
  for (let channel = 0; channel < grid.channels; channel++) {
    const [phase, tilt, mean, height] = [random() * 6, random() * 6, random() * 60, 20 + 30 * random()];
    for (let row = 0; row < grid.rows; row++) {
      for (let column = 0; column < grid.columns; column++) {
        const wave = Math.sin(column / 4 + phase) * Math.cos(row / 5 + tilt);
        const place = channel * grid.channelStride + row * grid.rowStride + column * grid.columnStride;
        tensor.data[place] = mean + height * wave + 6 * (random() - 0.5);
      }
    }
  }
  if (dtype === "float32") return tensor;
  const { data } = tensor;
  const count = elementCount(shape);
  if (dtype === "float16") return createTensor(dtype, shape, encodeFloat16Array(data), tensor.layout);
  const whole = Int32Array.from({ length: count }, (_, i) => Math.round(data[i]!));
  if (dtype === "int32")
    return createTensor(
      dtype,
      shape,
      whole.map((v) => v * 1000),
      tensor.layout,
    );
  if (dtype === "int8")
    return createTensor(
      dtype,
      shape,
      Int8Array.from(whole, (v) => Math.max(-128, Math.min(127, v))),
      tensor.layout,
    );
  return createTensor(
    dtype,
    shape,
    Uint8Array.from(whole, (v) => Math.max(0, Math.min(255, v + 64))),
    tensor.layout,
  );
}
