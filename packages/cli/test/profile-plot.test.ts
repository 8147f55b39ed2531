import type { ProfiledOption } from "@sluice/inference";
import t from "tap";
import { drawProfile } from "#cli/profile-plot.js";

const terms = { encodeMs: 0, bytes: 1_000, decodeMs: 0, serverMs: 1, accuracyKept: null };
const here: ProfiledOption = {
  ...{ ...terms, strategy: "client", split: "", codec: "", clientMs: 1, bytes: 0, serverMs: 0 },
};
const cutsOf = (names: readonly string[]): ProfiledOption[] =>
  names.map((split) => ({ ...terms, strategy: "shared", split, codec: "raw", clientMs: 2 }));
const draw = (options: readonly ProfiledOption[]) =>
  drawProfile(
    "net",
    options,
    [{ option: here, fromBitsPerSecond: 0, toBitsPerSecond: Number.POSITIVE_INFINITY }],
    20,
  );

t.test("a few cuts all have their names, each with a line of its own", (t) => {
  const svg = draw([here, ...cutsOf(["a", "b", "c", "d", "e", "f", "g", "h"])]);
  for (const name of ["client only", "a", "h"]) t.match(svg, `>${name}</text>`);
  const lines = svg.match(/<polyline .*?fill="none" .*?\/>/g) ?? [];
  const strokes = lines.map((line) => /stroke="[^"]*"( stroke-dasharray="[^"]*")?/.exec(line)?.[0]);
  t.equal(new Set(strokes).size, 9);
  t.notMatch(svg, /others/);
  t.end();
});

t.test("of many cuts those are grey that are never the fastest, and it says so", (t) => {
  const names = Array.from({ length: 30 }, (_, i) => `cut_${i}`);
  const svg = draw([here, ...cutsOf(names)]);
  t.notMatch(svg, />cut_3</);
  t.match(svg, />30 others, never the fastest</);
  t.equal(svg.match(/<polyline [^>]*stroke="#ccc"/g)?.length, 30);
  t.end();
});

t.test("switching points that are near each other can be read", (t) => {
  const [a, b, c] = cutsOf(["a", "b", "c"]) as [ProfiledOption, ProfiledOption, ProfiledOption];
  const bounds = [0, 1.6e6, 2e6, 2.5e6, Number.POSITIVE_INFINITY];
  const intervals = [here, a, b, c].map((option, i) => ({
    ...{ option, fromBitsPerSecond: bounds[i]!, toBitsPerSecond: bounds[i + 1]! },
  }));
  const svg = drawProfile("net", [here, a, b, c], intervals, 20);
  const labels = [...svg.matchAll(/translate\(([\d.]+) \d+\) rotate\(-90\)[^>]*>([^<]*)</g)];
  t.same(
    labels.map(([, , text]) => text),
    ["1.6 Mbit/s", "2 Mbit/s", "2.5 Mbit/s"],
  );
  const places = labels.map(([, x]) => Number(x));
  for (let i = 1; i < places.length; i++) t.ok(places[i]! - places[i - 1]! > 11, "a line of text apart");
  t.end();
});

t.test("a name that is too long for the picture is shortened, and is no markup", (t) => {
  const svg = draw([here, ...cutsOf([`<${"x".repeat(80)}`])]);
  t.match(svg, />&#60;x{28}…</);
  t.end();
});
