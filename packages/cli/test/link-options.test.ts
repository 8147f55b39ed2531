import { Command } from "commander";
import t from "tap";
import {
  addLinkOptions,
  describeLink,
  type LinkOptionValues,
  parseSeed,
  readLinkOptions,
} from "#cli/link-options.js";

function parse(args: readonly string[], defaults = {}) {
  const command = addLinkOptions(new Command("test").exitOverride(), defaults);
  return readLinkOptions(command.parse([...args], { from: "user" }).opts<LinkOptionValues>());
}

t.test("without options both directions are perfect", async (t) => {
  t.same(parse([]), { up: {}, down: {} });
  t.equal(describeLink({}), "perfect");
});

t.test("every option reaches both directions in its unit", async (t) => {
  const text =
    "--rate 5mbit --delay 20ms --jitter 500us --loss 3% --burst 2.5 --queue 64kB --mtu 1280 --reorder 0.1 --duplicate 1% --corrupt 2%";
  const link = {
    rateBitsPerSecond: 5e6,
    delayMs: 20,
    jitterMs: 0.5,
    loss: 0.03,
    burst: 2.5,
    queueBytes: 64_000,
    mtuBytes: 1280,
    reorder: 0.1,
    duplicate: 0.01,
    corrupt: 0.02,
  };
  t.same(parse(text.split(" ")), { up: link, down: link });
  t.equal(
    describeLink(link),
    "5 Mbit/s, delay 20 ms, jitter 0.5 ms, loss 3 %, in runs of 2.5, queue 64000 B, MTU 1280 B, reordered 10 %, twice 1 %, corrupted 2 %",
  );
});

t.test("--up and --down go before what is said for both and before defaults", async (t) => {
  const { up, down } = parse(
    ["--loss", "1%", "--up", "loss=10%,rate=2mbit", "--down", "queue=50ms,delay=1ms"],
    { delay: "20ms", loss: "3%" },
  );
  t.same(up, { delayMs: 20, loss: 0.1, rateBitsPerSecond: 2e6 });
  t.same(down, { delayMs: 1, loss: 0.01, queueMs: 50 });
});

t.test("defaults are shown in the help", async (t) => {
  const help = addLinkOptions(new Command("test"), { loss: "3%" }).helpInformation();
  t.match(help, /--loss <share>[^(]+\(default:\s+3%\)/);
  t.equal(help.match(/default:/g)?.length, 1);
});

for (const [args, message] of [
  [["--queue", "much"], /^--queue: .*got "much"/],
  [["--burst", "0.5"], /^--burst: .*got "0\.5"/],
  [["--mtu", "70000"], /^--mtu: .*65535/],
  [["--up", "loss"], /^--up: .*got "loss"/],
  [["--up", "constructor=1"], /^--up: .*got "constructor=1"/],
  [["--up", ""], /^--up: /],
] as const) {
  t.test(`refuses ${args.join(" ")}`, async (t) => {
    t.throws(() => parse(args), { name: "CliError", message });
  });
}

t.test("seeds are numbers where they look like it", async (t) => {
  t.equal(parseSeed("7"), 7);
  t.equal(parseSeed("monday"), "monday");
  t.throws(() => parseSeed(""), { message: /--seed/ });
});
