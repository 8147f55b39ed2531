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

t.test("a name that is too long for the picture is shortened, and is no markup", (t) => {
  const svg = draw([here, ...cutsOf([`<${"x".repeat(80)}`])]);
  t.match(svg, />&#60;x{28}…</);
  t.end();
});
