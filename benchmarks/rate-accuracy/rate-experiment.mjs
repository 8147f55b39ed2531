import { maxSlicePayloadBytes } from "@sluice/protocol";
import { openCodec } from "../accuracy/codec-under-test.mjs";
import { expandSweep } from "../accuracy/expand-sweep.mjs";
import { createWire } from "../accuracy/wire.mjs";
import { measure } from "./measure.mjs";
import { classifyPixels, openServerOnly } from "./server-only.mjs";

const levels = "{3,4,5,6,7,8,12,16,32}";
const plane = "quantize:levels=256,clip=6,per=tensor | tile";

const codecsFor = (statistics) => [
  "raw",
  `quantize:levels=${levels},clip=3,per=tensor`,
  `quantize:levels=${levels},clip=6,per=tensor`,
  ...(statistics ? [`quantize:levels=${levels},clip=6,per=channel`] : []),
  "quantize:levels={3,4,5,6,8,12,16},clip=3,per=tensor | entropy",
  `${plane} | jpeg:quality={20,30,40,50,60,75,90}`,
  `${plane} | jpeg2000:ratio={16,12,8,6,4.5,3}`,
  ...(statistics?.transform ? ["sluice:quality={24,32,40,48,52,56,60,64,72}"] : []),
  `${plane} | htj2k:step={0.2,0.14,0.1,0.07,0.05,0.03}`,
];

/** Images up to this many pixels are so small that headers decide. */
const smallImage = 64 * 64;

function imageCodecsFor([height, width]) {
  const files = [
    "jpeg:quality={2,5,10,15,20,30,40,50,60,75,90,95}",
    "jpeg2000:ratio={100,60,40,30,20,15,10,5}",
  ];
  if (height * width > smallImage) return files;
  const qualities = "{5,10,20,30,40,50,60,75,90,95}";
  const ratios = "{5,4.5,4,3.5,3,2.5,2,1.5}";
  return [
    ...[`jpeg:quality=${qualities}`, `jpeg:quality=${qualities},header=no`],
    ...[`jpeg2000:ratio=${ratios}`, `jpeg2000:ratio=${ratios},header=no`, "pixels"],
  ];
}

/** A chain as it is, and cut to each budget. */
function withBudgets({ text, series }, budgets) {
  const cut = budgets.map((budgetBytes) => {
    return { kind: "tensor", text, series: `${text} cut to … bytes`, budgetBytes };
  });
  return [{ kind: "tensor", text, series }, ...cut];
}

/** The chains of a run, `kind` tensor or image, each a point of its series. */
export function chainsFor(workload, options) {
  const codecs = options.codecs ?? codecsFor(workload.statistics).flatMap(expandSweep);
  const pixels = workload.images[0].pixels;
  const ofImages = pixels ? (options.imageCodecs ?? imageCodecsFor(pixels.shape).flatMap(expandSweep)) : [];
  return [
    ...codecs.flatMap((chain) => withBudgets(chain, options.budgets)),
    ...ofImages.map((chain) => ({ ...chain, kind: "image" })),
  ];
}

async function measureTensorChain(chain, workload, common) {
  const { network, images, halves } = workload;
  const { budgetBytes } = chain;
  const open = () =>
    Promise.all(halves.map((statistics) => openCodec(chain.text, network.spec, { statistics, budgetBytes })));
  const codecs = await open();
  const sent = images.map(({ label, base, half, tensor }) => ({ label, base, half, sent: tensor }));
  const figures = await measure({
    ...common,
    images: sent,
    codecs,
    seconds: await open(),
    classify: network.tail,
  });
  const cut = chain.budgetBytes === undefined ? "" : ` cut to ${chain.budgetBytes} bytes`;
  return { text: `${codecs[0].text}${cut}`, figures };
}

async function measureImageChain(chain, workload, common) {
  const codec = await openServerOnly(chain.text);
  const images = workload.images.map(({ label, base, pixels }) => ({ label, base, sent: pixels }));
  const classify = classifyPixels(workload.network, workload.model);
  return { text: chain.text, figures: await measure({ ...common, images, codecs: [codec], classify }) };
}

/**
 * Measures every chain on the same images.
 * @param onPoint called with each as soon as it is measured (kind, series, text, figures) and the number of all
 * @returns the points in the order of the chains
 */
export async function runRate(workload, options, { signal, onPoint }) {
  const wire = createWire(options.datagram);
  const maxPayloadBytes = maxSlicePayloadBytes(options.datagram);
  const common = { wire, maxPayloadBytes, network: workload.network, signal };
  const chains = chainsFor(workload, options);
  // A chain that this tensor cannot take is told now, not after the others were measured.
  for (const { text, kind } of chains) {
    if (kind === "tensor") await openCodec(text, workload.network.spec, workload);
    else await openServerOnly(text);
  }
  const points = [];
  for (const chain of chains) {
    const run = chain.kind === "tensor" ? measureTensorChain : measureImageChain;
    const point = { ...chain, ...(await run(chain, workload, common)) };
    points.push(point);
    onPoint(point, chains.length);
  }
  return points;
}
