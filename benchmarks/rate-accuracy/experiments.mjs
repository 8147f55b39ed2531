import { runQuantizer } from "./quantizer-experiment.mjs";
import { plotQuantizer } from "./quantizer-plot.mjs";
import { formatQuantizer } from "./quantizer-report.mjs";
import { runRate } from "./rate-experiment.mjs";
import { plotRate } from "./rate-plot.mjs";
import { formatRate } from "./rate-report.mjs";

/**
 * What can be measured: `run(workload, options, { signal, onPoint })` gives points, `format` their tables and `plots`
 * their Vega-Lite specs by what is put behind the file's name.
 */
export const experiments = {
  rate: {
    title: "Rate against accuracy",
    run: runRate,
    format: formatRate,
    plots: (points, workload) => ({ "": plotRate(points, workload) }),
  },
  quantizer: {
    title: "Levels and clip width of the uniform quantizer",
    run: runQuantizer,
    format: formatQuantizer,
    plots: (points, workload) => ({ "": plotQuantizer(points, workload) }),
  },
};
