import { runMotion } from "./motion-experiment.mjs";
import { plotMotion } from "./motion-plot.mjs";
import { formatMotion } from "./motion-report.mjs";
import { runQuantizer } from "./quantizer-experiment.mjs";
import { plotQuantizer } from "./quantizer-plot.mjs";
import { formatQuantizer } from "./quantizer-report.mjs";
import { runRate } from "./rate-experiment.mjs";
import { plotRate } from "./rate-plot.mjs";
import { formatRate } from "./rate-report.mjs";

/**
 * What can be measured: `keepsTensors`, whether it takes the tensors of all images at once; `run(workload, options, { signal, onPoint })` gives points, `format` their tables and `plots`
 * their Vega-Lite specs by what is put behind the file's name.
 */
export const experiments = {
  rate: {
    title: "Rate against accuracy",
    keepsTensors: true,
    run: runRate,
    format: formatRate,
    plots: (points, workload) => ({ "": plotRate(points, workload) }),
  },
  quantizer: {
    title: "Levels and clip width of the uniform quantizer",
    keepsTensors: true,
    run: runQuantizer,
    format: formatQuantizer,
    plots: (points, workload) => ({ "": plotQuantizer(points, workload) }),
  },
  motion: {
    title: "Motion of tensors",
    keepsTensors: false,
    run: runMotion,
    format: formatMotion,
    plots: (points, workload) => ({ "": plotMotion(points, workload) }),
  },
};
