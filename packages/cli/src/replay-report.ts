import { errorCodeName } from "@sluice/protocol";
import { type CapturedFrame, type CapturedStream, type ReplayedFrame, readAnswer } from "@sluice/server";
import { elementCount, sliceRange } from "@sluice/tensor";
import { formatSpec } from "./format-spec.js";
import { type Column, formatBytes, formatTable } from "./format-table.js";
import { lossMap, lostRuns } from "./loss-map.js";
import { describeAnswer } from "./replay-answer.js";

export interface ReplayTotals {
  readonly frames: number;
  /** The tensor, its mask and the answer are the same, bit for bit. */
  readonly same: number;
  readonly different: number;
  /** Late ones that nothing was made of, and those whose forerunners are not in the capture. */
  readonly unknown: number;
}

/** Whether all that the capture tells is the same today; `undefined`: it tells nothing. */
export function isReproduced({ isSameTensor, isSameMask, isSameAnswer }: ReplayedFrame): boolean | undefined {
  const told = [isSameTensor, isSameMask, isSameAnswer].filter((same) => same !== undefined);
  return told.length === 0 ? undefined : told.every(Boolean);
}

export function countFrames(totals: ReplayTotals, frame: ReplayedFrame): ReplayTotals {
  const isSame = isReproduced(frame);
  return {
    frames: totals.frames + 1,
    same: totals.same + (isSame === true ? 1 : 0),
    different: totals.different + (isSame === false ? 1 : 0),
    unknown: totals.unknown + (isSame === undefined ? 1 : 0),
  };
}

export function describeStream({ options, startedAt, units, provider }: CapturedStream): string {
  const { model, split, spec, codec, mode, concealment, fec, interleave } = options;
  const by = provider === "" ? "" : ` computed by ${provider};`;
  const extras = [fec && `fec ${fec}`, interleave && `interleave ${interleave}`].filter(Boolean);
  return `${model}, ${split === "" ? "not cut" : `cut at ${split}`}: ${formatSpec(spec)}, ${[
    ...[codec, mode, `concealment ${concealment}`, ...extras],
  ].join(", ")}; ${units} units;${by} from ${startedAt}`;
}

const right = "right" as const;
const frameColumns: readonly Column[] = [
  ...[
    { title: "frame", align: right },
    { title: "slices", align: right },
  ],
  ...[
    { title: "units %", align: right },
    { title: "concealed %", align: right },
  ],
  ...[{ title: "then" }, { title: "now" }, { title: "same" }],
];

/** The concealed share; what was found now, where the capture does not say. */
function concealedShare({ captured, now }: ReplayedFrame, { options }: CapturedStream): number | undefined {
  const missing = now?.received?.context.missingCount ?? captured.tensor?.missingCount;
  return missing === undefined ? undefined : missing / elementCount(options.spec.shape);
}

const percent = (share: number | undefined) => (share === undefined ? "-" : (100 * share).toFixed(1));

function describeThen(captured: CapturedFrame, { options }: CapturedStream): string {
  if (captured.outcome === "done") return describeAnswer(readAnswer(captured.answer, options.resultFormat));
  return captured.code === undefined
    ? captured.outcome
    : `${captured.outcome}: ${errorCodeName(captured.code)}`;
}

function describeNow({ now }: ReplayedFrame, { options }: CapturedStream): string {
  if (!now) return "-";
  if (now.error) return `failed: ${now.error.message}`;
  return now.received ? describeAnswer(readAnswer(now.answer, options.resultFormat)) : "undecodable";
}

function frameRow(frame: ReplayedFrame, stream: CapturedStream): string[] {
  const { captured } = frame;
  const same = isReproduced(frame);
  return [
    ...[String(captured.frame), String(captured.slices.length)],
    percent(captured.unitsReceived / stream.units),
    percent(concealedShare(frame, stream)),
    ...[describeThen(captured, stream), describeNow(frame, stream)],
    same === undefined ? "-" : same ? "yes" : "NO",
  ];
}

export function formatFrames(frames: readonly ReplayedFrame[], stream: CapturedStream): string {
  return formatTable(
    frameColumns,
    frames.map((frame) => frameRow(frame, stream)),
  );
}

const sliceColumns: readonly Column[] = [
  ...[{ title: "slice" }, { title: "units" }, { title: "bytes", align: right }],
  ...[{ title: "after capture", align: right }, { title: "" }],
];

/** What came of one frame, slice by slice, with its gaps. */
export function formatSlices({ captured }: ReplayedFrame, { units }: CapturedStream): string {
  const { slices, capturedMs } = captured;
  const rows = slices.map(({ index, count, payload, arrivalMs, isRecovered }) => {
    const { first, end } = sliceRange(index, count, units);
    const cells = [`${index} of ${count}`, `${first}..${end - 1}`, formatBytes(payload.length)];
    return {
      first,
      cells: [...cells, `${(arrivalMs - capturedMs).toFixed(1)} ms`, isRecovered ? "recovered" : ""],
    };
  });
  const gaps = lostRuns(captured, units).map(({ first, end }) => ({
    ...{ first, cells: ["-", `${first}..${end - 1}`, "", "", "lost"] },
  }));
  const all = [...rows, ...gaps].sort((a, b) => a.first - b.first).map(({ cells }) => cells);
  return `${formatTable(sliceColumns, all)}map (# came, + recovered, ~ in part, . lost): ${lossMap(captured, units)}\n`;
}

/** The line of JSON for a frame. */
export function frameToJson(frame: ReplayedFrame, stream: CapturedStream, lossless: unknown) {
  const { captured, now, isSameTensor, isSameMask, isSameAnswer } = frame;
  const { resultFormat } = stream.options;
  return {
    ...{ event: "frame", frame: captured.frame, outcome: captured.outcome },
    ...(captured.code === undefined ? {} : { code: errorCodeName(captured.code) }),
    slices: captured.slices.map(({ payload, ...slice }) => ({ ...slice, bytes: payload.length })),
    ...{ units: stream.units, unitsReceived: captured.unitsReceived },
    slicesRecovered: captured.slicesRecovered,
    lostUnits: lostRuns(captured, stream.units).map(({ first, end }) => [first, end]),
    map: lossMap(captured, stream.units),
    concealedShare: concealedShare(frame, stream) ?? null,
    ...{ capturedMs: captured.capturedMs, expiresAtMs: captured.expiresAtMs, endedMs: captured.endedMs },
    answerThen: readAnswer(captured.answer, resultFormat),
    answerNow: now ? readAnswer(now.answer, resultFormat) : null,
    ...(lossless === undefined ? {} : { answerLossless: lossless }),
    ...{ isSameTensor, isSameMask, isSameAnswer },
  };
}
