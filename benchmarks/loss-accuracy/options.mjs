import process from "node:process";
import { parseArgs } from "node:util";
import { concealmentMethods } from "@sluice/concealment";
import { presets } from "../accuracy/presets.mjs";
import { UsageError } from "../accuracy/run-command.mjs";
import { checkFecText, checkInterleaveText, listConditions } from "./conditions.mjs";
import { lossProcesses } from "./loss-processes.mjs";

const defaultMethods = concealmentMethods.filter((method) => method !== "temporal");
const defaultLoss = "elements,channels,datagrams,bursts";
const forms = ["simulated", "real"];
const defaultRates = "0,1,2,5,10,15,20,30,40,50";

export const USAGE = `node benchmarks/loss-accuracy.mjs [options]

What is measured:
  --model NAME          fashion (embedded, the default) or the path of an .onnx file
  --preset NAME         ${Object.keys(presets).join(", ")}: published networks and their images in
                        the folder --data DIR (default: the environment's SLUICE_DATA); skipped where there is none
  --split TENSOR        where the network is cut; default the model's or the preset's
  --images PATH         a folder of images or a .tar of one; default test-images, the embedded model's
  --labels FILE         names of the classes, for images in folders named after them
  --preprocess NAME     how pixels become the model's input (torch, torch-small, tensorflow, caffe, none)
  --codec CHAIN         that tensors go through before they are lost, any number of times; default raw
  --interleave TEXT     what slices hold, any number of times: contiguous (default), channel-strided, checkerboard,
                        pseudo-random:seed=N; where a codec cannot, it says so
  --fec TEXT            error correction of datagrams, any number of times: rs:max=15,span=1; none for none (default)
  --min-received N      per cent of a frame that is sent again until it has come, any number of times; default 0: what
                        nothing has come of
  --loss A,B            what is lost: ${Object.keys(lossProcesses).join(", ")};
                        default ${defaultLoss}
  --form A,B            simulated (default), real: the latter by QUIC, relay and server, where datagrams are lost
  --rates A,B           percent, 0 to 100; default ${defaultRates}
  --methods A,B         of concealment; default ${defaultMethods.join(", ")}

Images and statistics:
  --limit N             the most images, 2 to 100000; default 2000
  --seed N              which ones, and what they lose; default 1
  --statistics FILE     of the cut, as sluice calibrate writes them; default those beside the model
  --exclude-calibration N[:SEED]   leaves out the images that "sluice calibrate --limit N --seed SEED" takes from these
  --calibrate N[:SEED]  leaves the same images out and calibrates on them here
  --runs N              of the second half, that calibrating for the codec sluice may take; default 8192

How:
  --datagram BYTES      largest datagram, 200 to 65000, default 1200
  --fps N               frames a second where datagrams are lost, 1 to 500, default 30
  --deadline-ms N       from a frame to its answer there, 20 to 10000, default 150; a busy machine needs more
  --json                JSON lines on standard output instead of the tables
  --record [--name N]   writes benchmarks/results/loss-accuracy/NAME.jsonl, .md, .svg and .png
  --note TEXT           said beside a recorded result`;

function integer(name, text, from, to) {
  const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= from && value <= to)) {
    throw new UsageError(`--${name} must be an integer of ${from}..${to}, got ${JSON.stringify(text)}`);
  }
  return value;
}

function choices(name, text, known) {
  return text.split(",").map((part) => {
    if (!known.includes(part)) {
      throw new UsageError(`--${name}: unknown ${JSON.stringify(part)} (known: ${known.join(", ")})`);
    }
    return part;
  });
}

/** Texts that a parser takes; the name of what is done by itself stands for the empty one. */
function readTexts(name, texts, byDefault, check) {
  return texts.map((text) => {
    try {
      return check(text === byDefault ? "" : text);
    } catch (error) {
      throw new UsageError(`--${name}: ${error.message}`);
    }
  });
}

function shares(name, text) {
  return text.split(",").map((part) => {
    const value = part.trim() === "" ? Number.NaN : Number(part);
    if (!(value >= 0 && value <= 100)) {
      throw new UsageError(`--${name}: must be numbers of 0..100, got ${JSON.stringify(part)}`);
    }
    return value / 100;
  });
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

function parseValues(args) {
  const text = { type: "string" };
  const flag = { type: "boolean", default: false };
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
        codec: { ...text, multiple: true, default: ["raw"] },
        interleave: { ...text, multiple: true, default: ["contiguous"] },
        fec: { ...text, multiple: true, default: ["none"] },
        loss: { ...text, default: defaultLoss },
        form: { ...text, default: "simulated" },
        "min-received": { ...text, multiple: true, default: ["0"] },
        ...{ fps: { ...text, default: "30" }, "deadline-ms": { ...text, default: "150" } },
        rates: { ...text, default: defaultRates },
        methods: { ...text, default: defaultMethods.join(",") },
        limit: { ...text, default: "2000" },
        seed: { ...text, default: "1" },
        ...{ statistics: text, "exclude-calibration": text, calibrate: text },
        ...{ runs: { ...text, default: "8192" }, datagram: { ...text, default: "1200" } },
        ...{ json: flag, record: flag, help: flag, name: text },
        note: { ...text, default: "" },
      },
    }).values;
  } catch (error) {
    throw new UsageError(error.message);
  }
}

/** The checked command line. @throws UsageError */
export function parseOptions(args) {
  const values = parseValues(args);
  if (values.help) return { help: true };
  for (const [one, other] of [
    ["preset", "model"],
    ["calibrate", "exclude-calibration"],
  ]) {
    if (values[one] !== undefined && values[other] !== undefined) {
      throw new UsageError(`--${one} and --${other}: give one of them`);
    }
  }
  if (values.preset !== undefined) choices("preset", values.preset, Object.keys(presets));
  if (values.name !== undefined && !/^[\w.-]{1,80}$/.test(values.name)) {
    throw new UsageError("--name: letters, digits, dots, dashes and underlines, at most 80");
  }
  const codecs = values.codec.map((each) => ({ text: each }));
  const held = values.calibrate === undefined ? "exclude-calibration" : "calibrate";
  return {
    ...values,
    data: values.data ?? process.env.SLUICE_DATA,
    // Only the codec sluice needs a transform, which takes long to calibrate.
    ...{ codecs, runs: integer("runs", values.runs, 1, 1_000_000) },
    conditions: listConditions({
      ...{ codecs, fecs: readTexts("fec", values.fec, "none", checkFecText) },
      interleaves: readTexts("interleave", values.interleave, "contiguous", checkInterleaveText),
      minReceiveds: values["min-received"].map((each) => integer("min-received", each, 0, 100)),
    }),
    forms: choices("form", values.form, forms),
    fps: integer("fps", values.fps, 1, 500),
    deadlineMs: integer("deadline-ms", values["deadline-ms"], 20, 10_000),
    processes: choices("loss", values.loss, Object.keys(lossProcesses)),
    rates: shares("rates", values.rates),
    methods: choices("methods", values.methods, [...concealmentMethods]),
    limit: integer("limit", values.limit, 2, 100_000),
    seed: integer("seed", values.seed, 0, 999_999_999),
    datagram: integer("datagram", values.datagram, 200, 65_000),
    calibration: calibrationSet(held, values[held]),
  };
}
