/** What users see of mistakes: one line, a code of its own, no stack. */
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { join } from "node:path";
import { ExitCode } from "@sluice/cli";
import t from "tap";
import { runHere } from "./run-here.js";
import { runSluice } from "./run-sluice.js";

interface Mistake {
  readonly args: readonly string[];
  readonly code: number;
  readonly says: RegExp;
}

const mistakes: readonly Mistake[] = [
  { args: ["servr"], code: ExitCode.usage, says: /unknown command 'servr', did you mean serve\?/ },
  {
    args: ["relay", "--los", "3%"],
    code: ExitCode.usage,
    says: /unknown option '--los', did you mean --loss\?/,
  },
  { args: ["relay", "--loss"], code: ExitCode.usage, says: /'--loss <share>' argument missing/ },
  { args: ["relay", "--loss", "300%"], code: ExitCode.usage, says: /--loss: .*got "300%"/ },
  { args: ["relay", "--rate", "20"], code: ExitCode.usage, says: /--rate: .*got "20"/ },
  { args: ["relay", "--delay", "soon"], code: ExitCode.usage, says: /--delay: .*got "soon"/ },
  { args: ["relay", "--rebind", "0"], code: ExitCode.usage, says: /--rebind: .*got "0"/ },
  { args: ["relay", "--listen", "localhost"], code: ExitCode.usage, says: /--listen: .*HOST:PORT/ },
  { args: ["relay", "--target", "127.0.0.1:0"], code: ExitCode.usage, says: /--target: .*port/ },
  { args: ["relay", "--up", "delya=3ms"], code: ExitCode.usage, says: /--up: .*delay.*got "delya=3ms"/ },
  { args: ["relay", "--down", "loss=2"], code: ExitCode.usage, says: /--down loss: .*got "2"/ },
  {
    args: ["relay", "--loss", "90%", "--burst", "2"],
    code: ExitCode.usage,
    says: /burst must be at least 9/,
  },
  { args: ["relay", "extra"], code: ExitCode.usage, says: /too many arguments/ },
  ...["inspect", "profile"].map((command) => ({
    ...{ args: [command], code: ExitCode.usage, says: /missing required argument 'model'/ },
  })),
  { args: ["inspect", "fashon"], code: ExitCode.notFound, says: /"fashon".*"fashion"/ },
  {
    args: ["inspect", "no-such.onnx"],
    code: ExitCode.notFound,
    says: /"no-such\.onnx": there is no such file/,
  },
  {
    args: ["inspect", "fashion", "--codec", "quantise"],
    code: ExitCode.notFound,
    says: /"quantise", did you mean quantize/,
  },
  { args: ["calibrate", "fashion"], code: ExitCode.usage, says: /'--split <tensor>' not specified/ },
  {
    args: ["calibrate", "fashion", "--split", "add_33", "--images", "x"],
    code: ExitCode.notFound,
    says: /"add_33".*nearest.*"add_3"/,
  },
  {
    args: ["calibrate", "fashion", "--split", "add_3", "--images", "no-such-folder"],
    code: ExitCode.notFound,
    says: /images "no-such-folder"/,
  },
  {
    args: ["calibrate", "fashion", "--split", "add_3", "--images", "x", "--limit", "0"],
    code: ExitCode.usage,
    says: /--limit: .*got "0"/,
  },
];

for (const { args, code, says } of mistakes) {
  t.test(`sluice ${args.join(" ")}`, async (t) => {
    const run = await runHere(args);
    t.equal(run.code, code);
    t.match(run.stderr, says);
    t.match(run.stderr, /^sluice: [^\n]+\n$/, "one line");
    t.equal(run.stdout, "");
  });
}

t.test("a file that is no model", async (t) => {
  const directory = t.testdir({ "text.onnx": "this is not a model", "images.gz": "not packed" });
  const run = await runHere(["inspect", join(directory, "text.onnx")]);
  t.equal(run.code, ExitCode.notFound);
  t.match(run.stderr, /^sluice: model ".*text\.onnx": [^\n]+\n$/);
  const images = join(directory, "images.gz");
  const calibrate = await runHere(["calibrate", "fashion", "--split", "add_3", "--images", images]);
  t.equal(calibrate.code, ExitCode.notFound);
  t.match(calibrate.stderr, /^sluice: images ".*images\.gz": cannot be unpacked[^\n]+\n$/);
});

t.test("an address in use", async (t) => {
  const socket = createSocket("udp4").bind(0, "127.0.0.1");
  await once(socket, "listening");
  t.teardown(() => socket.close());
  const address = `127.0.0.1:${socket.address().port}`;
  const run = await runHere(["relay", "--listen", address]);
  t.equal(run.code, ExitCode.unreachable);
  t.equal(run.stderr, `sluice: ${address}: the address is in use already\n`);
});

t.test("SLUICE_DEBUG=1 shows where an error comes from", async (t) => {
  const run = await runSluice(["inspect", "no-such.onnx"], { SLUICE_DEBUG: "1" });
  t.equal(run.code, ExitCode.notFound);
  t.match(run.stderr, /^sluice: model .*\n(?:.*\n)* {4}at /);
});

const commands = ["serve", "stream", "demo", "relay", "inspect", "calibrate"];

t.test("help and version", async (t) => {
  const version = await runSluice(["--version"]);
  t.match(version, { code: 0, stdout: /^\d+\.\d+\.\d+\n$/, stderr: "" });
  const nothing = await runSluice([]);
  t.match(nothing, { code: ExitCode.usage, stdout: "", stderr: /Usage: sluice/ });
  const top = await runHere(["--help"]);
  t.match(top, { code: 0, stderr: "" });
  for (const command of commands) {
    t.match(top.stdout, new RegExp(`^ {2}${command} `, "m"));
  }
  for (const command of commands) {
    const help = await runHere([command, "--help"]);
    t.match(help, { code: 0, stdout: /Examples:/, stderr: "" }, command);
    t.match(help.stdout, `Usage: sluice ${command}`);
  }
});
