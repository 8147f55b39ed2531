import { readdirSync } from "node:fs";
import { join } from "node:path";

const cifarClasses = "airplane automobile bird cat deer dog frog horse ship truck".split(" ");
const imagenet = { images: "imagenet500/images", labels: [] };
const cifar = { images: "cifar10_test_a.tar", labels: cifarClasses, preprocess: "torch-small" };

/** Published networks in the folder that `--data` or SLUICE_DATA names; paths are relative to it. */
export const presets = {
  mobilenet: {
    ...imagenet,
    model: "models/mobilenet_v2_1.0_224_fp32.onnx",
    preprocess: "tensorflow",
    split: "add_3",
  },
  squeezenet: {
    ...imagenet,
    model: "models/squeezenet1.1_fp32.onnx",
    preprocess: "caffe",
    split: "fire5/concat_1",
  },
  resnet56: { ...cifar, model: "models/resnet56_cifar10.onnx", split: "add_10" },
  resnet20: { ...cifar, model: "models/resnet20_cifar10.onnx", split: "add_4" },
};

/**
 * A preset with its paths.
 * @param data the folder; undefined: there is none
 * @returns the preset, or `{ missing }`: the reason why it cannot be measured here
 */
export function findPreset(name, data) {
  const preset = presets[name];
  if (data === undefined || data === "") return { missing: "neither --data nor SLUICE_DATA names a folder" };
  try {
    readdirSync(data);
  } catch (error) {
    return { missing: `its folder cannot be read (${error.code})` };
  }
  return { ...preset, model: join(data, preset.model), images: join(data, preset.images) };
}
