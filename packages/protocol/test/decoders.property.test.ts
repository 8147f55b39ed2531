import fc from "fast-check";
import t, { type Test } from "tap";
import { createControlDecoder } from "#src/control-message.js";
import { decodeDatagram } from "#src/datagram.js";
import { createTensorDecoder } from "#src/tensor-framing.js";
import { hostileControl, hostileDatagram, hostileTensor, registryCodes } from "./hostile-input.js";

const seed = 20;

/** Runs a decoder on hostile bytes: only ProtocolError may come out of it, with a code of the registry. */
function checkCases(
  test: Test,
  numRuns: number,
  input: fc.Arbitrary<Uint8Array>,
  run: (bytes: Uint8Array) => boolean,
) {
  test.comment(`seed ${seed}, ${numRuns} cases`);
  let accepted = 0;
  let longestMs = 0;
  const property = fc.property(input, (bytes) => {
    const startMs = performance.now();
    try {
      if (!run(bytes)) return false;
      accepted++;
    } catch (error) {
      const { name, code } = error as { name: string; code: number };
      if (name !== "ProtocolError" || !registryCodes.has(code)) throw error;
    }
    longestMs = Math.max(longestMs, performance.now() - startMs);
    return true;
  });
  fc.assert(property, { seed, numRuns });
  test.ok(
    accepted > 0.02 * numRuns && accepted < 0.98 * numRuns,
    `${accepted} accepted: both ways are taken`,
  );
  test.comment(`the longest took ${longestMs} ms`);
}

t.test("datagrams", async (t) => {
  checkCases(t, 5_000, hostileDatagram, (bytes) => {
    const { slices, controls } = decodeDatagram(bytes);
    const payloadBytes = slices.reduce((sum, { payload }) => sum + payload.length, 0);
    // Payloads are views: nothing was allocated for them.
    return (
      payloadBytes + slices.length + controls.length <= bytes.length &&
      slices.every(({ payload, header }) => payload.buffer === bytes.buffer && header.index < header.count)
    );
  });
});

t.test("control streams in chunks", async (t) => {
  checkCases(t, 4_000, hostileControl, (bytes) => {
    const whole = createControlDecoder()(bytes);
    const decode = createControlDecoder();
    const half = bytes.length >> 1;
    const cut = [...decode(bytes.subarray(0, half)), ...decode(bytes.subarray(half))];
    return whole.length <= bytes.length && cut.length === whole.length;
  });
});

t.test("tensor streams in chunks", async (t) => {
  checkCases(t, 4_000, hostileTensor, (bytes) => {
    const decoder = createTensorDecoder(1_000);
    let taken = 0;
    for (let at = 0; at < bytes.length; at += 7) {
      for (const { payload } of decoder.decode(bytes.slice(at, at + 7))) taken += payload.length;
    }
    return taken + decoder.heldBytes <= bytes.length;
  });
});
