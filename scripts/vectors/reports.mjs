// Receiver reports (spec 5.6): what a receiver says of arrivals, and what a sender reads. Written by hand.
import { hex } from "./hex-text.mjs";
import { controlBytes, toHex } from "./message-writer.mjs";

export const about = "Receiver reports. Times are in 0.1 ms of the receiver's clock.";

const example = {
  ...{ datagramsReceived: 3, bytesReceived: 3500, nextSequence: 4, lost: 1, lossRuns: 1 },
  ...{ arrivalSequences: [-4, 1, 2], arrivalTimes: [-100, 4, 8], queuedFrames: 1 },
  ...{ frames: [{ stream: 1, frame: 7, unitsReceived: 3, units: 6 }], reportTime: 10100, received: "0d" },
};
const arrive = (...list) => list.map(([sequence, at, bytes = 100]) => ({ sequence, at, bytes }));
const none = { frames: [], queuedFrames: 0 };

const made = [
  [
    "spec-example",
    {
      ...{ arrivals: arrive([0, 10000, 1200], [1, 10004, 1200], [3, 10012, 1100]), queuedFrames: 1 },
      ...{ frames: example.frames, reportTime: 10100 },
    },
    example,
  ],
  [
    "first-numbers-missing",
    { arrivals: arrive([3, 50]), ...none, reportTime: 60 },
    {
      ...{ datagramsReceived: 1, bytesReceived: 100, nextSequence: 4, lost: 3, lossRuns: 1 },
      ...{ arrivalSequences: [-1], arrivalTimes: [-10], reportTime: 60, received: "01" },
    },
  ],
  [
    "gap-made-two",
    { arrivals: arrive([0, 10], [4, 10], [2, 20]), ...none, reportTime: 30 },
    {
      ...{ datagramsReceived: 3, bytesReceived: 300, nextSequence: 5, lost: 2, lossRuns: 2 },
      ...{ arrivalSequences: [-5, 4, -2], arrivalTimes: [-20, 0, 10], reportTime: 30, received: "15" },
    },
    "2 comes late and stands between the runs 1 and 3.",
  ],
  [
    "gap-filled",
    { arrivals: arrive([0, 10], [3, 10], [1, 20], [2, 20]), ...none, reportTime: 30 },
    {
      ...{ datagramsReceived: 4, bytesReceived: 400, nextSequence: 4 },
      ...{ arrivalSequences: [-4, 3, -2, 1], arrivalTimes: [-20, 0, 10, 0], reportTime: 30, received: "0f" },
    },
  ],
  [
    "ninth-number",
    { arrivals: arrive([8, 10]), ...none, reportTime: 10 },
    {
      ...{ datagramsReceived: 1, bytesReceived: 100, nextSequence: 9, lost: 8, lossRuns: 1 },
      ...{ arrivalSequences: [-1], arrivalTimes: [0], reportTime: 10, received: "0100" },
    },
    "Nine bits take two bytes.",
  ],
  [
    "recovered",
    { arrivals: arrive([0, 10], [3, 10], [9, 10]), recovered: [1, 8, 3], ...none, reportTime: 10 },
    {
      ...{ datagramsReceived: 3, bytesReceived: 300, nextSequence: 10, lost: 7, lossRuns: 2 },
      ...{ arrivalSequences: [-10, 3, 6], arrivalTimes: [0, 0, 0], reportTime: 10 },
      ...{ received: "4102", recovered: "0201" },
    },
    "1 and 8 are lost all the same; 3 has come, and is not recovered.",
  ],
  [
    "recovered-is-short",
    { arrivals: arrive([0, 10], [9, 10]), recovered: [8], ...none, reportTime: 10 },
    {
      ...{ datagramsReceived: 2, bytesReceived: 200, nextSequence: 10, lost: 8, lossRuns: 1 },
      ...{ arrivalSequences: [-10, 9], arrivalTimes: [0, 0], reportTime: 10 },
      ...{ received: "0102", recovered: "02" },
    },
    "Empty bytes at the end are left out.",
  ],
  [
    "clock-wraps",
    { arrivals: arrive([0, 4294967291]), ...none, reportTime: 4294967301 },
    {
      ...{ datagramsReceived: 1, bytesReceived: 100, nextSequence: 1 },
      ...{ arrivalSequences: [-1], arrivalTimes: [-10], reportTime: 5, received: "01" },
    },
    "Times are modulo 2^32, their differences are not.",
  ],
  [
    "at-most-64-arrivals",
    { arrivals: arrive(...Array.from({ length: 70 }, (_, i) => [i, i])), ...none, reportTime: 69 },
    {
      ...{ datagramsReceived: 70, bytesReceived: 7000, nextSequence: 70 },
      ...{ arrivalSequences: [-64, ...Array(63).fill(1)], arrivalTimes: [-63, ...Array(63).fill(1)] },
      ...{ reportTime: 69, received: `${"ff".repeat(8)}3f` },
    },
  ],
  [
    "at-most-256-bits",
    { arrivals: arrive(...Array.from({ length: 300 }, (_, i) => [i, 0])), ...none, reportTime: 0 },
    {
      ...{ datagramsReceived: 300, bytesReceived: 30000, nextSequence: 300 },
      ...{ arrivalSequences: [-64, ...Array(63).fill(1)], arrivalTimes: Array(64).fill(0) },
      received: "ff".repeat(32),
    },
  ],
];

const message = (body) => toHex(controlBytes({ kind: "feedback", body }));

export const cases = [
  ...made.map(([name, input, report, note]) => ({
    ...{
      id: `report/make/${name}`,
      shows: name.startsWith("at-most") ? ["sluice/9/1"] : [],
      op: "report.make",
    },
    ...{ input, output: { report }, ...(note ? { note } : {}) },
  })),
  {
    ...{ id: "report/read/spec-example", shows: [], op: "report.read" },
    input: {
      hex: hex(`42 28 08 03 10 ac 1b 18 04 20 01 28 01 32 03 07 02 04 3a 04 c7 01 08 10 40 01
        4a 08 08 01 10 07 18 03 20 06 50 f4 4e 5a 01 0d`),
      sequences: [0, 1, 2, 3, 4],
    },
    output: {
      arrivals: [
        { sequence: 0, beforeReport: 100 },
        { sequence: 1, beforeReport: 96 },
        { sequence: 3, beforeReport: 88 },
      ],
      come: [true, true, false, true, null],
    },
    note: "`null`: the report does not say.",
  },
  {
    ...{ id: "report/read/lists-of-different-lengths", shows: [], op: "report.read" },
    input: {
      hex: message({ nextSequence: 3, arrivalSequences: [-3, 1, 1], arrivalTimes: [-9], received: "07" }),
      sequences: [2],
    },
    output: { arrivals: [{ sequence: 0, beforeReport: 9 }], come: [true] },
    note: "Arrivals count as far as both lists reach.",
  },
];
