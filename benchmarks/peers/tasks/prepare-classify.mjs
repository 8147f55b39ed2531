// What the end-to-end form needs of the network and the images, made once and kept in a folder: the first half's tensors,
// the classes with and without rounding, and the statistics that the codec `sluice` wants. So no system's client pays for the first half.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, renameSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encodeStatistics, tensorBytes } from "@sluice/tensor";
import { findPreset } from "../../accuracy/presets.mjs";
import { packUint8, unpackUint8 } from "./uint8-payload.mjs";

const PRESET = "mobilenet";
const IMAGES = 150;
/** Of other images than those that are sent. */
const calibration = { count: 100, seed: 2, measuredHere: true };
const RUNS = 1_000;
/** Of what the folder holds; another number makes it anew. */
const FORMAT = 2;

/**
 * @param data the folder with the networks; undefined: there is none
 * @returns the folder, or `{ missing }`: why there can be none
 */
export async function prepareClassify({ data, seed }) {
  const { missing, model } = findPreset(PRESET, data);
  if (missing !== undefined) return { missing };
  if (!existsSync(model)) return { missing: `${model} is not there` };
  const facts = [FORMAT, statSync(model).size, IMAGES, calibration, RUNS, seed];
  const name = createHash("sha256").update(JSON.stringify(facts)).digest("hex").slice(0, 12);
  const folder = join(tmpdir(), `sluice-peers-${PRESET}-${name}`);
  const manifest = join(folder, "manifest.json");
  if (!existsSync(manifest)) await makeFolder(folder, manifest, { data, seed });
  return { folder };
}

async function makeFolder(folder, manifest, { data, seed }) {
  // Loaded when it is needed: it brings the engines.
  const { openWorkload } = await import("../../rate-accuracy/workload.mjs");
  const options = { preset: PRESET, data, calibration, seed, runs: RUNS, limit: IMAGES };
  const workload = await openWorkload(options, new AbortController().signal, { keepsTensors: true });
  try {
    const { images, network, statistics, description } = workload;
    const afterUint8 = [];
    await network.inBatches(images, async (batch) => {
      const rounded = batch.map(({ tensor }) => ({ ...tensor, data: unpackUint8(packUint8(tensor.data)) }));
      afterUint8.push(...(await network.tail(rounded)));
    });
    mkdirSync(folder, { recursive: true });
    writeFileSync(
      join(folder, "tensors.bin"),
      Buffer.concat(images.map(({ tensor }) => tensorBytes(tensor))),
    );
    const facts = {
      ...{ model: findPreset(PRESET, data).model, preset: PRESET, split: network.cut, spec: network.spec },
      images: images.map(({ label, base }, i) => ({ label, float32: base, uint8: afterUint8[i] })),
      ...{ statistics: encodeStatistics(statistics), description },
    };
    // Renamed when it is whole, so that a run that is cut off leaves nothing that looks ready.
    writeFileSync(`${manifest}.part`, JSON.stringify(facts));
    renameSync(`${manifest}.part`, manifest);
  } finally {
    await workload.close();
  }
}
