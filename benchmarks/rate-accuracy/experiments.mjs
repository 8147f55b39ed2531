import { fixed } from "../tables.mjs";
import { runMotion } from "./motion-experiment.mjs";
import { plotMotion } from "./motion-plot.mjs";
import { formatMotion } from "./motion-report.mjs";
import { runQuantizer } from "./quantizer-experiment.mjs";
import { plotQuantizer } from "./quantizer-plot.mjs";
import { formatQuantizer } from "./quantizer-report.mjs";
import { runRate } from "./rate-experiment.mjs";
import { plotRate } from "./rate-plot.mjs";
import { formatRate } from "./rate-report.mjs";
import { runStream } from "./stream-experiment.mjs";
import { plotStream } from "./stream-plot.mjs";
import { formatStream } from "./stream-report.mjs";

const bytesAndDrop = ({ bytes, dropPoints, dropStandardError: error, agreement }) => {
  const drop = `drop ${fixed(dropPoints, 2)} ± ${fixed(error, 2)}`;
  return `${fixed(bytes, 0)} B, ${drop}, agreement ${fixed(100 * agreement, 1)} %`;
};

/**
 * What can be measured. `keepsTensors`: whether it takes the tensors of all images at once. `run(workload, options,
 * { signal, onPoint })` gives points; `brief` says the figures of one in a line; `format(points)` gives the tables,
 * `plots(points, description)` Vega-Lite specs by what is put behind the file's name.
 */
export const experiments = {
  rate: {
    title: "Rate against accuracy",
    keepsTensors: true,
    run: runRate,
    brief: bytesAndDrop,
    format: formatRate,
    plots: (points, workload) => ({ "": plotRate(points, workload) }),
  },
  quantizer: {
    title: "Levels and clip width of the uniform quantizer",
    keepsTensors: true,
    run: runQuantizer,
    brief: bytesAndDrop,
    format: formatQuantizer,
    plots: (points, workload) => ({ "": plotQuantizer(points, workload) }),
  },
  motion: {
    title: "Motion of tensors",
    keepsTensors: false,
    run: runMotion,
    brief: ({ median }) => (median === null ? "exact" : `${fixed(median, 1)} dB`),
    format: formatMotion,
    plots: (points, workload) => ({ "": plotMotion(points, workload) }),
  },
  stream: {
    title: "Tensors that follow one another",
    keepsTensors: false,
    run: runStream,
    brief: ({ bytes, psnrDb, agreement }) =>
      `${fixed(bytes, 0)} B, ${fixed(psnrDb, 1)} dB, agreement ${fixed(100 * agreement, 1)} %`,
    format: formatStream,
    plots: (points, workload) => ({ "": plotStream(points, workload) }),
  },
};
