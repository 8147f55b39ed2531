import { blameStage, formatWaterfall, joinTraces, usualTimes } from "@sluice/tracing";
import t from "tap";
import { runTwoEnds } from "./two-ends.js";

const { client, server } = runTwoEnds({
  ...{ frames: 6, deadlineMs: 200, isLost: (sequence) => sequence === 13 },
  extraMs: (frame) => (frame === 3 ? 180 : 0),
});

function draw(traces: typeof client, width: number, isColoured = false): string {
  const joined = joinTraces(traces);
  const late = joined.find(({ main }) => main.isLate)!;
  return formatWaterfall(late, { width, isColoured, blamed: blameStage(late, usualTimes(joined)) });
}

t.test("a late frame as both ends saw it, at 80 columns", async (t) => {
  t.equal(
    draw([...client, ...server], 80),
    [
      "frame 3 of stream 1: delivered after 249.0 ms, 49.0 ms over its deadline  [f56f779f89065736a998f6dcb483174c]",
      "  sink, raw, datagram",
      "  4000 B, 4 slices, 3 came, 25.0 % concealed, round trip 40.0 ms",
      "wait        |█                                                   |     1.00 ms",
      "client      |██                                                  |     8.00 ms",
      "encode      |  █                                                 |     2.00 ms",
      "network     |  ████                                              |    20.00 ms",
      "release     |      █                                             |     4.00 ms",
      "decode      |       █                                            |     3.00 ms",
      "conceal     |        █                                           |     1.00 ms",
      "queue       |        █                                           |     4.00 ms",
      "inference   |         ███████████████████████████████████████    |   186.00 ms <",
      "result      |                                                ████|    20.00 ms",
      "deadline    |                                         ^          |      200 ms",
    ].join("\n"),
  );
});

t.test("as the client alone saw it, at 60 columns", async (t) => {
  t.equal(
    draw(client, 60),
    [
      "frame 3 of stream 1: delivered after 249.0 ms, 49.0 ms over its deadline  [f56f779f89065736a998f6dcb483174c]",
      "  sink, raw, datagram",
      "  4000 B, 4 slices, 3 came, 25.0 % concealed, round trip 40.0 ms",
      "wait        |█                               |     1.00 ms",
      "client      |█                               |     8.00 ms",
      "encode      | █                              |     2.00 ms",
      "network     | ███                            |    24.00 ms",
      "queue       |    █                           |    ~4.00 ms",
      "decode      |     █                          |    ~3.00 ms",
      "conceal     |     █                          |    ~1.00 ms",
      "inference   |      ███████████████████████   |  ~186.00 ms <",
      "result      |                             ███|    20.00 ms",
      "deadline    |                         ^      |      200 ms",
    ].join("\n"),
  );
});

t.test("no line of a bar is wider than the terminal; colours only where they are asked for", async (t) => {
  for (const width of [40, 57, 120, 300]) {
    const [, , , ...bars] = draw([...client, ...server], width).split("\n");
    for (const bar of bars) t.ok(bar.length <= width, `${bar.length} of ${width}: ${bar}`);
    t.ok(bars.some((bar) => bar.length >= width - 2));
  }
  const escapeCode = "\u001b[";
  t.notOk(draw(client, 80).includes(escapeCode));
  t.ok(draw(client, 80, true).includes(`${escapeCode}31m`), "what made it late is red");
});

t.test("what a file holds does not command the terminal", async (t) => {
  const [trace] = client;
  const model = "m\u001b]0;gone\u0007";
  const text = draw([{ ...trace!, isLate: true, attributes: { ...trace!.attributes, model } }], 80);
  t.match(text, "m?]0;gone?");
  t.notOk(text.includes("\u001b"));
});
