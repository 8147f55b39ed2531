// The arithmetic that all accuracy benchmarks share.
import t from "tap";
import { argmax, comparePredictions } from "../accuracy/compare-predictions.mjs";
import { expandSweep } from "../accuracy/expand-sweep.mjs";
import { findPreset, presets } from "../accuracy/presets.mjs";
import { mean, median, quantile } from "../accuracy/quantile.mjs";
import { createWire } from "../accuracy/wire.mjs";

t.test("a sweep is every combination, its series what differs in the last braces alone", async (t) => {
  t.same(expandSweep("raw"), [{ text: "raw", series: "raw" }]);
  t.same(expandSweep("quantize:levels={4, 8},clip=3 | tile | jpeg:quality={20,40}"), [
    {
      text: "quantize:levels=4,clip=3 | tile | jpeg:quality=20",
      series: "quantize:levels=4,clip=3 | tile | jpeg:quality=…",
    },
    {
      text: "quantize:levels=4,clip=3 | tile | jpeg:quality=40",
      series: "quantize:levels=4,clip=3 | tile | jpeg:quality=…",
    },
    {
      text: "quantize:levels=8,clip=3 | tile | jpeg:quality=20",
      series: "quantize:levels=8,clip=3 | tile | jpeg:quality=…",
    },
    {
      text: "quantize:levels=8,clip=3 | tile | jpeg:quality=40",
      series: "quantize:levels=8,clip=3 | tile | jpeg:quality=…",
    },
  ]);
  t.throws(() => expandSweep("a={1,2"), /braces/);
  t.throws(() => expandSweep("a={1,{2}}"), /braces/);
  t.throws(() => expandSweep("a={1,,2}"), /empty/);
  const many = `{${Array.from({ length: 100 }, (_, i) => i)}}`;
  t.throws(() => expandSweep(`a=${many},b=${many}`), /more than 1000/);
});

t.test("drop, its paired standard error and agreement", async (t) => {
  const labels = [0, 1, 2, 3];
  const same = comparePredictions(labels, [0, 1, 2, 0], [0, 1, 2, 0]);
  t.match(same, { top1: 0.75, baseTop1: 0.75, dropPoints: 0, dropStandardError: 0, agreement: 1 });
  // One image got worse and one better: no drop, but differences 1, 0, 0, -1 with a variance of 2/3.
  const moved = comparePredictions(labels, [0, 1, 2, 0], [9, 1, 2, 3]);
  t.match(moved, { top1: 0.75, dropPoints: 0, agreement: 0.5 });
  t.ok(Math.abs(moved.dropStandardError - 100 * Math.sqrt(2 / 3 / 4)) < 1e-9);
  // Against numpy: d = [1, 1, 0, 0], mean 0.5, standard deviation with n - 1 0.57735, over the root of 4.
  const worse = comparePredictions(labels, labels, [9, 9, 2, 3]);
  t.match(worse, { top1: 0.5, dropPoints: 50 });
  t.ok(Math.abs(worse.dropStandardError - 28.867513459481287) < 1e-9);
  // Both were lost in one burst: two blocks, of which one has lost all, say less than four images.
  t.equal(comparePredictions(labels, labels, [9, 9, 2, 3], 2).dropStandardError, 50);
  const unlabelled = comparePredictions([undefined, 1], [5, 1], [6, 1]);
  t.match(unlabelled, { n: 2, labelled: 1, top1: 1, dropStandardError: null, agreement: 0.5 });
  t.match(comparePredictions([undefined], [5], [5]), { top1: null, dropPoints: null, agreement: 1 });
  t.equal(argmax([1, 3, 3, 2]), 1, "the first of equal ones");
});

t.test("order statistics", async (t) => {
  t.equal(median([3, 1, 2]), 2);
  t.equal(quantile([4, 1, 3, 2], 0), 1);
  t.equal(quantile([4, 1, 3, 2], 1), 4);
  t.equal(mean([1, 2, 6]), 3);
});

t.test("bytes on the wire are those of the protocol's datagrams", async (t) => {
  const wire = createWire(1_200);
  const slices = [1_100, 1_100, 0, 50].map((length, index) => ({
    index,
    count: 4,
    payload: new Uint8Array(length).fill(index),
  }));
  const { arrived, bytes, payloadBytes, datagrams } = wire.send(slices);
  t.same(arrived, slices, "what arrives is what was sent");
  t.equal(payloadBytes, 2_250);
  t.equal(datagrams, 2, "the empty and the last slice share the second one");
  t.ok(bytes > payloadBytes + 4 * 9 && bytes < payloadBytes + 4 * 24, `${bytes} with headers`);
  t.equal(wire.send(slices).bytes, bytes, "the same for the next frame");
  t.throws(
    () => createWire(200).send([{ index: 0, count: 1, payload: new Uint8Array(400) }]),
    /does not fit/,
  );
});

t.test("presets without their folder are skipped with a reason", async (t) => {
  for (const name of Object.keys(presets)) {
    t.match(findPreset(name, undefined), { missing: /SLUICE_DATA/ });
    t.match(findPreset(name, "/nonexistent"), { missing: /ENOENT/ });
  }
});
