import process from "node:process";
import { parseArgs } from "node:util";
import { expandSweep } from "../accuracy/expand-sweep.mjs";
import { presets } from "../accuracy/presets.mjs";
import { UsageError } from "../accuracy/run-command.mjs";

export const USAGE = `node benchmarks/rate-accuracy.mjs [options]

What is measured:
  --model NAME          fashion (embedded, the default) or the path of an .onnx file
  --preset NAME         ${Object.keys(presets).join(", ")}: published networks and their images in
                        the folder --data DIR (default: the environment's SLUICE_DATA); skipped where there is none
  --split TENSOR        where the network is cut; default the model's or the preset's
  --images PATH         a folder of images or a .tar of one; default test-images, the embedded model's
  --labels FILE         names of the classes, for images in folders named after them
  --preprocess NAME     how pixels become the model's input (torch, torch-small, tensorflow, caffe, none)
  --experiment NAME     rate (default): chains against bytes; quantizer: levels and clip widths against accuracy and
                        squared error; motion: how well a moved tensor is predicted from the one before;
                        stream: chains on the frames of clips, alone and predicted from acknowledged ones
  --codec CHAIN         a chain; can be given many times; {a,b,c} stands for alternatives. Default: one of each kind
  --image-codec TEXT    sent instead by a client without a part of the network: jpeg:quality=1..100, jpeg2000:ratio=R,
                        pixels; header=no leaves out what is the same in all files; braces as above; none: no such
  --budget A,B          cuts every chain to so many payload bytes too, where it can be cut
  --levels A,B --clips A,B   of the experiment quantizer

Images and statistics:
  --limit N             the most images, 2 to 100000; default 2000, for motion 50
  --seed N              which ones, default 1
  --statistics FILE     of the cut, as sluice calibrate writes them; default those beside the model
  --exclude-calibration N[:SEED]   leaves out the images that "sluice calibrate --limit N --seed SEED" takes from these
  --calibrate N[:SEED]  leaves the same images out and calibrates on them here
  --cross-calibrate     calibrates on every other image for those between, and the other way round: so all are evaluated
                        by statistics of others, where there are too few to set aside; for the experiment rate
  --runs N              runs of the second half by which that measures importances for a chain "sluice", default 8192

How:
  --datagram BYTES      largest datagram, 200 to 65000, default 1200
  --clips-limit N       frames of each video clip, for motion and stream, default 120
  --delay N             frames after which a frame is acknowledged, for stream, 1 to 100, default 2
  --json                JSON lines on standard output instead of the tables
  --record [--name N]   writes benchmarks/results/rate-accuracy/NAME.jsonl, .md, .svg and .png
  --note TEXT           said beside a recorded result`;

const defaultLimits = { rate: "2000", quantizer: "2000", motion: "50", stream: "2" };
const experiments = Object.keys(defaultLimits);

function integer(name, text, from, to) {
  const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= from && value <= to)) {
    throw new UsageError(`--${name} must be an integer of ${from}..${to}, got ${JSON.stringify(text)}`);
  }
  return value;
}

function oneOf(name, value, known) {
  if (value !== undefined && !known.includes(value)) {
    throw new UsageError(`--${name}: unknown ${JSON.stringify(value)} (known: ${known.join(", ")})`);
  }
  return value;
}

/** `N` or `N:SEED`; the seed that `sluice calibrate` takes by itself is 1. */
function calibrationSet(name, text) {
  if (text === undefined) return undefined;
  const [count, seed = "1"] = text.split(":");
  return {
    count: integer(name, count, 1, 100_000),
    seed: integer(name, seed, 0, 999_999_999),
    measuredHere: name === "calibrate",
  };
}

function numbers(name, text, from, to) {
  return text.split(",").map((part) => {
    const value = Number(part);
    if (!(part.trim() !== "" && value >= from && value <= to)) {
      throw new UsageError(`--${name}: must be numbers of ${from}..${to}, got ${JSON.stringify(part)}`);
    }
    return value;
  });
}

function sweeps(texts) {
  try {
    return texts.filter((text) => text !== "none").flatMap(expandSweep);
  } catch (error) {
    throw new UsageError(error.message);
  }
}

function parseValues(args) {
  const text = { type: "string" };
  const flag = { type: "boolean", default: false };
  const list = { type: "string", multiple: true };
  try {
    return parseArgs({
      args,
      options: {
        ...{
          model: text,
          preset: text,
          data: text,
          split: text,
          images: text,
          labels: text,
          preprocess: text,
        },
        experiment: { ...text, default: "rate" },
        ...{ codec: list, "image-codec": list, budget: text },
        levels: { ...text, default: "2,3,4,5,6,7,8,10,12,16,24,32" },
        clips: { ...text, default: "1,1.5,2,2.5,3,4,5,6" },
        limit: text,
        seed: { ...text, default: "1" },
        ...{ statistics: text, "exclude-calibration": text, calibrate: text, "cross-calibrate": flag },
        runs: { ...text, default: "8192" },
        datagram: { ...text, default: "1200" },
        "clips-limit": { ...text, default: "120" },
        delay: { ...text, default: "2" },
        ...{ json: flag, record: flag, help: flag, name: text },
        note: { ...text, default: "" },
      },
    }).values;
  } catch (error) {
    throw new UsageError(error.message);
  }
}

function checkCrossCalibration(values) {
  if (!values["cross-calibrate"]) return;
  const other = ["calibrate", "exclude-calibration", "statistics"].find((name) => values[name] !== undefined);
  if (other) throw new UsageError(`--cross-calibrate and --${other}: give one of them`);
  if (values.experiment !== "rate") {
    throw new UsageError(`--cross-calibrate: not with --experiment ${values.experiment}`);
  }
}

/** The checked command line. @throws UsageError */
export function parseOptions(args) {
  const values = parseValues(args);
  if (values.help) return { help: true };
  oneOf("experiment", values.experiment, experiments);
  if (values.preset !== undefined && values.model !== undefined) {
    throw new UsageError("--preset and --model: give one of them");
  }
  if (values.calibrate !== undefined && values["exclude-calibration"] !== undefined) {
    throw new UsageError("--calibrate and --exclude-calibration: give one of them");
  }
  checkCrossCalibration(values);
  if (values.name !== undefined && !/^[\w.-]{1,80}$/.test(values.name)) {
    throw new UsageError("--name: letters, digits, dots, dashes and underlines, at most 80");
  }
  const held = values.calibrate === undefined ? "exclude-calibration" : "calibrate";
  return {
    ...values,
    preset: oneOf("preset", values.preset, Object.keys(presets)),
    data: values.data ?? process.env.SLUICE_DATA,
    limit: integer("limit", values.limit ?? defaultLimits[values.experiment] ?? "", 2, 100_000),
    seed: integer("seed", values.seed, 0, 999_999_999),
    datagram: integer("datagram", values.datagram, 200, 65_000),
    clipsLimit: integer("clips-limit", values["clips-limit"], 2, 10_000),
    budgets: values.budget === undefined ? [] : numbers("budget", values.budget, 1, 2 ** 26),
    runs: integer("runs", values.runs, 1, 10_000_000),
    delay: integer("delay", values.delay, 1, 100),
    levels: numbers("levels", values.levels, 2, 65_536),
    clips: numbers("clips", values.clips, 0.5, 100),
    codecs: values.codec && sweeps(values.codec),
    imageCodecs: values["image-codec"] && sweeps(values["image-codec"]),
    calibration: calibrationSet(held, values[held]),
  };
}
