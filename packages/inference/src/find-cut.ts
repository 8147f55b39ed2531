import { bytesPerElement, elementCount } from "@sluice/tensor";
import type { Cut } from "./cut.js";
import type { Network } from "./network.js";
import { bundleInfo, specOf } from "./tensor-info.js";

/**
 * The cut of a name, listed or not: of several tensors that cross together, those of a network with one input are not.
 * @throws ModelError as `split` for a name that is no cut
 */
export async function findCut(network: Network, name: string): Promise<Cut> {
  const listed = (await network.listCuts()).find((cut) => cut.name === name);
  if (listed !== undefined) return listed;
  const { crossing } = await network.split(name);
  const spec = specOf(bundleInfo(name, crossing));
  const tensors = crossing.map((info) => ({ name: info.name, ...specOf(info) }));
  return {
    ...{ ...spec, name, ...(await network.measureWork(name)) },
    elements: tensors.reduce((sum, { shape }) => sum + elementCount(shape), 0),
    bytes: elementCount(spec.shape) * bytesPerElement[spec.dtype],
    ...(tensors.length === 1 ? {} : { crossing: tensors }),
  };
}
