import { parseDurationMs, parsePercentOrFraction, parseRate } from "@sluice/simnet";
import t from "tap";

t.test("parseRate", async (t) => {
  for (const [text, expected] of [
    ["20mbit", 20e6],
    ["500kbit", 500e3],
    ["1.5 Mbit/s", 1.5e6],
    ["1gbit", 1e9],
    ["64bit", 64],
    [" Unlimited ", undefined],
  ] as const) {
    t.equal(parseRate(text), expected, text);
  }
  for (const text of ["", "20", "20mb", "20MB/s", "-1mbit", "0mbit", "1e3kbit", "NaN", "20mbit x", "mbit"]) {
    t.throws(
      () => parseRate(text, "--rate"),
      { name: "RangeError", message: /^--rate: expected a rate/ },
      `"${text}"`,
    );
  }
});

t.test("parsePercentOrFraction", async (t) => {
  for (const [text, expected] of [
    ["3%", 0.03],
    ["0.03", 0.03],
    [".5", 0.5],
    ["0", 0],
    ["1", 1],
    ["1%", 0.01],
    ["100 %", 1],
  ] as const) {
    t.equal(parsePercentOrFraction(text), expected, text);
  }
  for (const text of ["", "3", "101%", "-1%", "1,5%", "x", "%", "3%%", "Infinity"]) {
    t.throws(
      () => parsePercentOrFraction(text, "--loss"),
      { name: "RangeError", message: /^--loss: expected a percentage/ },
      `"${text}"`,
    );
  }
});

t.test("parseDurationMs", async (t) => {
  for (const [text, expected] of [
    ["20ms", 20],
    ["20", 20],
    ["1.5s", 1500],
    ["250us", 0.25],
    ["2 min", 120_000],
    ["0", 0],
  ] as const) {
    t.equal(parseDurationMs(text), expected, text);
  }
  for (const text of ["", "-1", "1d", "ms", "1 m s", "1e3", `${"9".repeat(400)}ms`]) {
    t.throws(
      () => parseDurationMs(text, "--delay"),
      { name: "RangeError", message: /^--delay: expected a duration/ },
      `"${text}"`,
    );
  }
});
