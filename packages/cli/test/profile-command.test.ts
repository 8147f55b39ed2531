import { readFile } from "node:fs/promises";
import { join } from "node:path";
import t from "tap";
import { runHere } from "./run-here.js";
import { runSluice } from "./run-sluice.js";
import { tinyModelBytes } from "./tiny-models.js";

const few = ["--split", "add_3", "--split", "pool", "--runs", "2", "--images", "2", "--threads", "1"];

t.test("the terms of each way as a table, the fastest by bandwidth, and the layers", async (t) => {
  const { code, stdout } = await runSluice(["profile", "fashion", ...few, "--slowdown", "1000"]);
  t.equal(code, 0);
  t.match(stdout, /\nwhere +I_c ms +E_c ms +D +E_s ms +I_s ms +at 1 +at 5 +at 20 +at 100\nclient only /);
  for (const name of ["server only, raw", "server only, quantize\\+tile\\+jpeg", "add_3", "pool"]) {
    t.match(stdout, new RegExp(`\n${name} `), name);
  }
  t.match(stdout, /the fastest, by bandwidth:\n {2}(always|below) /);
  t.match(stdout, /server only, raw/, "a client so slow is better off without a network");
  t.match(stdout, /\nadd_3 +64x14x14 +\d.* 58\.7 % +49\.0 KiB +7\.7 KiB .* 9\d\.\d\d % /);
});

t.test("as JSON, which strategies are chosen by; curves as SVG", async (t) => {
  const plot = join(t.testdir(), "curves.svg");
  const codec = ["--codec", "quantize:levels=8,clip=3 | entropy", "--codec", "raw"];
  const { code, stdout, stderr } = await runSluice([
    "profile",
    "fashion",
    ...few,
    ...codec,
    "--plot",
    plot,
    "--json",
  ]);
  t.match({ code, stderr }, { code: 0, stderr: "" });
  const report = JSON.parse(stdout);
  t.match(report, { version: 1, model: "fashion", rttMs: 20, slowdown: 1 });
  t.equal(report.options.length, 1 + 2 + 2 * 2);
  for (const { clientMs, encodeMs, bytes, decodeMs, serverMs } of report.options) {
    for (const term of [clientMs, encodeMs, bytes, decodeMs, serverMs]) t.ok(term >= 0);
  }
  t.equal(report.best[0].fromBitsPerSecond, 0);
  t.equal(report.best.at(-1).toBitsPerSecond, null);
  t.equal(report.layers.length, 2);
  const svg = await readFile(plot, "utf8");
  t.match(svg, /^<svg /);
  t.equal(svg.match(/<polyline /g)?.length, report.options.length);
  t.match(svg, /client only/);
});

t.test("mistakes are told", async (t) => {
  const { code, stderr } = await runSluice(["profile", "fashion", "--split", "conv"]);
  t.equal(code, 5);
  t.match(stderr, /cut "conv"/);
  t.match(await runSluice(["profile", "fashion", "--runs", "0"]), { code: 2 });
});

t.test("an input of whole numbers is profiled as it is sent: as it is", async (t) => {
  const bytes = tinyModelBytes(({ graph }) => {
    graph.input[0]!.type!.tensor_type.elem_type = 6;
    for (const node of graph.node) node.input = node.input.map((name) => (name === "input" ? "float" : name));
    const attribute = [{ name: "to", type: 2, i: 1 }];
    graph.node.unshift(
      Object.assign({ op_type: "Cast", input: ["input"], output: ["float"] }, { attribute }),
    );
  });
  const path = join(t.testdir({ "whole.onnx": Buffer.from(bytes) }), "whole.onnx");
  const args = ["--split", "add_1", "--runs", "1", "--images", "1", "--json"];
  const { code, stdout } = await runHere(["profile", path, ...args]);
  t.equal(code, 0);
  const server = JSON.parse(stdout).options.filter(
    ({ strategy }: { strategy: string }) => strategy === "server",
  );
  t.match(server, [{ codec: "raw" }]);
  t.equal(server.length, 1);
});
